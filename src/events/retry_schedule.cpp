#include "events/retry_schedule.h"

#include <time.h>

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace posthaste::events {

namespace {

constexpr std::array<Duration, 5> kPostals = {2min, 3min, 6min, 10min, 15min};
constexpr Duration kLongestWish = 24h;
constexpr double kSpread = 0.1;  // of the extended delays, to both sides: Postal's are exact

}  // namespace

std::optional<Duration> RetrySchedule::delay(int attempts, int code, std::optional<Duration> retry_after,
                                             double chance) const {
  if (code == 410 || attempts < 1) return std::nullopt;
  const auto index = static_cast<std::size_t>(attempts - 1);
  if (index >= kPostals.size() + extended_.size()) return std::nullopt;
  Duration delay = index < kPostals.size() ? kPostals[index] : extended_[index - kPostals.size()];
  if (index >= kPostals.size())
    delay = Duration(static_cast<std::int64_t>(double(delay.count()) * (1 - kSpread + 2 * kSpread * chance)));
  if ((code == 429 || code == 503) && retry_after) delay = std::max(delay, std::min(*retry_after, kLongestWish));
  return delay;
}

Result<Duration> parse_delay(std::string_view text) {
  const std::string given(text);
  text = trim(text);
  Duration unit = 1s;
  if (!text.empty()) {
    constexpr std::string_view kUnits = "smhd";
    constexpr std::array<Duration, 4> kDurations = {1s, 1min, 1h, 24h};
    if (const auto at = kUnits.find(ascii_lower(text.back())); at != std::string_view::npos) {
      unit = kDurations[at];
      text.remove_suffix(1);
    }
  }
  const auto count = parse_int(text);
  if (!count || *count < 1 || *count > 86400 * 30)
    return fail(ErrorKind::Invalid, fmt::format("`{}` is no delay such as 30m or 6h", given));
  return unit * *count;
}

std::optional<Duration> parse_retry_after(std::string_view value, Time now) {
  value = trim(value);
  if (const auto seconds = parse_int(value)) {
    if (*seconds < 0) return std::nullopt;
    return std::chrono::seconds(std::min<std::int64_t>(*seconds, 86400));
  }
  tm parts{};
  const std::string text(value);
  const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (!end || *end) return std::nullopt;
  const Time at = Time(std::chrono::seconds(::timegm(&parts)));
  return std::clamp<Duration>(at - now, Duration(0), kLongestWish);
}

}  // namespace posthaste::events
