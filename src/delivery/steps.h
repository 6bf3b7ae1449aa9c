// The steps of the outgoing pipeline, one function each; their order is the table in outgoing_pipeline.cpp. Some are
// the incoming pipeline's, too. Texts are Postal's: clients and dashboards match on them.
#pragma once

#include "delivery/pipeline.h"

namespace posthaste::delivery {

// As it was handed over, or from the database. Nothing when it has been removed.
std::optional<store::RawMessage> raw_of(const Attempt& attempt, Tools& tools);

// before sending: steps_before_send.cpp
Answer find_message(Attempt& attempt, Tools& tools);
Answer find_mail_server(Attempt& attempt, Tools& tools);
Answer hold_while_suspended(Attempt& attempt, Tools& tools);
Answer fail_after_last_attempt(Attempt& attempt, Tools& tools);
Answer find_raw_message(Attempt& attempt, Tools& tools);
Answer check_scope(Attempt& attempt, Tools& tools);
Answer check_domain(Attempt& attempt, Tools& tools);
Answer check_recipient(Attempt& attempt, Tools& tools);
Answer find_tag(Attempt& attempt, Tools& tools);
Answer hold_by_credential(Attempt& attempt, Tools& tools);
Answer hold_if_suppressed(Attempt& attempt, Tools& tools);
Answer track(Attempt& attempt, Tools& tools);    // steps_track.cpp
Answer inspect(Attempt& attempt, Tools& tools);  // of either direction: steps_inspect.cpp
Answer fail_if_spam(Attempt& attempt, Tools& tools);
Answer add_headers(Attempt& attempt, Tools& tools);
Answer check_send_limit(Attempt& attempt, Tools& tools);
Answer hold_in_development(Attempt& attempt, Tools& tools);
Answer address_envelope(Attempt& attempt, Tools& tools);

// behind it: steps_after_send.cpp. What they find changes the attempt; their answer is always to go on.
bool after_unknown_domain(const Attempt& attempt);
Answer fail_unknown_domain(Attempt& attempt, Tools& tools);
bool after_hard_fail(const Attempt& attempt);
Answer suppress_after_hard_fails(Attempt& attempt, Tools& tools);
Answer unsuppress_after_success(Attempt& attempt, Tools& tools);

}  // namespace posthaste::delivery
