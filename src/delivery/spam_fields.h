// The header fields that tell readers what the scanners said of an incoming message (inbound-processing.md 7.1).
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "store/messages.h"

namespace posthaste::delivery {

// What their names begin with. A sender's own fields of these names are lies and go.
inline constexpr std::array<std::string_view, 2> kSpamFields = {"X-Postal-Spam", "X-Postal-Threat"};

// The four lines. The score reads `0` when nobody scored, otherwise it has a point: `6.5`, `-0.9`, `5.0`.
std::string spam_fields(const store::Inspection& inspection, double threshold);

// The message without fields of these names; the same one if it has none.
store::RawMessage without_spam_fields(const store::RawMessage& raw);

// `5.0`, `6.25`: without trailing zeros, but with a digit behind the point.
std::string decimal(double value);

}  // namespace posthaste::delivery
