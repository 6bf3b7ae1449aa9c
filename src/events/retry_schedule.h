// When a webhook request that failed is made again (http-api.md 17, 18). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace posthaste::events {

class RetrySchedule {
 public:
  // Behind Postal's five delays.
  explicit RetrySchedule(std::vector<Duration> extended = {}) : extended_(std::move(extended)) {}

  // Nothing: given up. `attempts` counts the one that failed; `chance` is uniform in [0, 1). 410 ends it; what
  // Retry-After asked for with a 429 or 503 is obeyed up to a day, never below the schedule's delay.
  std::optional<Duration> delay(int attempts, int code, std::optional<Duration> retry_after, double chance) const;

 private:
  std::vector<Duration> extended_;
};

// `30m`, `2h`, `90s`, `1d`, or plain seconds.
Result<Duration> parse_delay(std::string_view text);

// The header: seconds, or a date (RFC 9110 10.2.3).
std::optional<Duration> parse_retry_after(std::string_view value, Time now);

}  // namespace posthaste::events
