// SpamAssassin's protocol (SPAMC/1.2), as bytes: the request's head, and the rules out of the report.
//
// Pure and bounded; any reply gives an answer.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "inspection/scan.h"

namespace posthaste::inspection {

// `REPORT SPAMC/1.2` and the length; the message follows.
std::string spamd_request(std::size_t message_size);

// The rules of the table behind the last line of dashes, and their sum. For outgoing messages without those that only
// say that it comes from us. Nothing if there is no table, or none that begins with a rule.
std::optional<SpamScan> parse_spamd_reply(std::string_view reply, bool incoming);

}  // namespace posthaste::inspection
