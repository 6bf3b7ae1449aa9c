// When a delivery that failed for now is tried again (outbound-delivery.md 4.4, 12.4, 19.15).
//
// Pure: chance comes in. A remote server that says when to come back is believed, within reason; otherwise Postal's
// curve of 5 minutes growing by 1.3 with each attempt holds, stretched by a random part so that herds disperse.
#pragma once

#include <optional>
#include <string_view>

#include "base/time.h"

namespace posthaste::policy {

struct RetryPlan {
  double jitter = 0.1;  // 0: exactly Postal's schedule
  double scale = 1.0;   // multiplies every delay; for tests

  // `attempts` made before this one; `chance` uniform in [0, 1). A hint wins over the curve.
  Duration delay(int attempts, double chance, std::optional<Duration> hint = {}) const;
};

constexpr Duration kShortestHint = std::chrono::seconds(60);
constexpr Duration kLongestHint = std::chrono::hours(4);

// When to come back as the remote server put it, plus ten seconds, within [1 min, 4 h]:
// `300 seconds`, `5 minutes`, `in 30s`, `in 5 min`, `in 1 hour`, `in 00:05:00`. Nothing if the text says nothing.
std::optional<Duration> retry_hint(std::string_view reply);

}  // namespace posthaste::policy
