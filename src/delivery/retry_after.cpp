#include "delivery/retry_after.h"

#include <algorithm>

#include "base/strings.h"
#include "mail/date.h"
#include "policy/retry.h"

namespace posthaste::delivery {

namespace {

Duration within_reason(Duration wish) { return std::clamp(wish, policy::kShortestHint, kLongestRetryAfter); }

}  // namespace

std::optional<Duration> retry_after(std::string_view value, Time now) {
  value = trim(value);
  const bool digits = !value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos;
  if (digits) {
    if (value.size() > 9) return kLongestRetryAfter;
    return within_reason(std::chrono::seconds(*parse_int(value)));
  }
  const auto date = mail::parse_date(value);
  if (!date) return std::nullopt;
  return within_reason(date->time - now);
}

}  // namespace posthaste::delivery
