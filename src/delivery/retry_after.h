// When an HTTP server asks to be asked again (RFC 9110 10.2.3).
#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace posthaste::delivery {

inline constexpr Duration kLongestRetryAfter = std::chrono::hours(24);

// The value of Retry-After: seconds, or a date; within a minute and a day. Nothing if it is neither.
std::optional<Duration> retry_after(std::string_view value, Time now);

}  // namespace posthaste::delivery
