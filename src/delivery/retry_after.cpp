#include "delivery/retry_after.h"

#include <algorithm>

#include "base/strings.h"
#include "mail/date.h"

namespace posthaste::delivery {

std::optional<Duration> retry_after(std::string_view value, Time now) {
  value = trim(value);
  const bool digits = !value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos;
  if (digits) {
    if (value.size() > 9) return kLongestRetryAfter;
    return std::min<Duration>(std::chrono::seconds(*parse_int(value)), kLongestRetryAfter);
  }
  const auto date = mail::parse_date(value);
  if (!date) return std::nullopt;
  return std::clamp<Duration>(date->time - now, Duration(0), kLongestRetryAfter);
}

}  // namespace posthaste::delivery
