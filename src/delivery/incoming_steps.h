// The steps of the incoming pipeline that it does not share with the outgoing one (steps.h); their order is the table
// in incoming_pipeline.cpp. Texts are Postal's: clients and dashboards match on them.
#pragma once

#include "delivery/pipeline.h"

namespace posthaste::delivery {

// before sending: incoming_steps.cpp
Answer bounce_after_last_attempt(Attempt& attempt, Tools& tools);
Answer count_received(Attempt& attempt, Tools& tools);
Answer fail_above_spam_threshold(Attempt& attempt, Tools& tools);
Answer find_route(Attempt& attempt, Tools& tools);
Answer follow_spam_mode(Attempt& attempt, Tools& tools);
Answer follow_accept_mode(Attempt& attempt, Tools& tools);
Answer follow_hold_mode(Attempt& attempt, Tools& tools);
Answer follow_bounce_mode(Attempt& attempt, Tools& tools);

// to its endpoint: forwarding_steps.cpp
Answer find_endpoint(Attempt& attempt, Tools& tools);
Answer stop_forwarding_loop(Attempt& attempt, Tools& tools);
Answer address_forwarding(Attempt& attempt, Tools& tools);
Answer note_endpoint_used(Attempt& attempt, Tools& tools);  // behind it, unless it is tried again

// behind sending: incoming_steps.cpp
bool after_refusal(const Attempt& attempt);
Answer bounce_after_refusal(Attempt& attempt, Tools& tools);

}  // namespace posthaste::delivery
