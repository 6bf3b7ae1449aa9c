#include "policy/retry.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/strings.h"

namespace posthaste::policy {

namespace {

using Seconds = std::chrono::seconds;

constexpr double kFirstDelay = 300;
constexpr double kGrowth = 1.3;
constexpr double kLongestDelay = 30 * 86400.0;  // far above any schedule; keeps the arithmetic within its types
constexpr Seconds kMargin{10};

bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return c >= 'a' && c <= 'z'; }

// A number in the text: where it begins and ends, and its value (saturated).
struct Number {
  std::size_t begin = 0, end = 0;
  long value = 0;
};

std::optional<Number> next_number(std::string_view text, std::size_t from) {
  const auto begin = text.find_first_of("0123456789", from);
  if (begin == text.npos) return std::nullopt;
  Number number{begin, begin, 0};
  for (; number.end < text.size() && digit(text[number.end]); ++number.end) {
    number.value = std::min(number.value * 10 + (text[number.end] - '0'), 100'000'000l);
  }
  return number;
}

// The letters behind the number, after at most one blank.
std::string_view unit_after(std::string_view text, const Number& number) {
  std::size_t begin = number.end;
  if (begin < text.size() && text[begin] == ' ') ++begin;
  std::size_t end = begin;
  while (end < text.size() && letter(text[end])) ++end;
  return text.substr(begin, end - begin);
}

std::string_view word_before(std::string_view text, std::size_t at) {
  text = trim(text.substr(0, at));
  std::size_t begin = text.size();
  while (begin > 0 && letter(text[begin - 1])) --begin;
  return text.substr(begin);
}

// `<n> seconds`, `<n> minutes` anywhere: Postal's rule.
std::optional<Seconds> anywhere(std::string_view text, std::string_view unit, long factor) {
  for (auto number = next_number(text, 0); number; number = next_number(text, number->end)) {
    if (unit_after(text, *number).starts_with(unit)) return Seconds(number->value * factor);
  }
  return std::nullopt;
}

std::optional<long> seconds_in(std::string_view unit) {
  if (unit == "s" || unit.starts_with("sec")) return 1;
  if (unit == "m" || unit.starts_with("min")) return 60;
  if (unit == "h" || unit == "hr" || unit == "hrs" || unit.starts_with("hour")) return 3600;
  return std::nullopt;
}

// `in <n>s|min|m|hour`
std::optional<Seconds> after_in(std::string_view text) {
  for (auto number = next_number(text, 0); number; number = next_number(text, number->end)) {
    if (word_before(text, number->begin) != "in") continue;
    if (auto factor = seconds_in(unit_after(text, *number))) return Seconds(number->value * *factor);
  }
  return std::nullopt;
}

bool clock_form(std::string_view text) {
  for (std::size_t i = 0; i < 8; ++i) {
    if (i % 3 == 2 ? text[i] != ':' : !digit(text[i])) return false;
  }
  return text[3] < '6' && text[6] < '6';
}

// A time of day has its date before it, or more digits at either end.
bool time_of_day(std::string_view text, std::size_t at) {
  const auto rest = text.substr(at + 8);
  if (!rest.empty() && (digit(rest[0]) || rest[0] == ':' || rest[0] == '.' || rest[0] == 'z')) return true;
  const auto before = text.substr(0, at);
  if (before.ends_with(':') || before.ends_with('t')) return true;
  const auto word_end = trim(before);
  return !word_end.empty() && digit(word_end.back());
}

// `HH:MM:SS` as a span of time.
std::optional<Seconds> clock_span(std::string_view text) {
  for (std::size_t at = 0; at + 8 <= text.size(); ++at) {
    const auto clock = text.substr(at, 8);
    if (!clock_form(clock) || time_of_day(text, at)) continue;
    const auto part = [&](std::size_t i) { return (clock[i] - '0') * 10 + clock[i + 1] - '0'; };
    return Seconds(part(0) * 3600 + part(3) * 60 + part(6));
  }
  return std::nullopt;
}

// Codes in front of lines are no numbers of seconds: `450 4.7.1`.
std::string without_codes(std::string_view reply) {
  std::string out;
  for (auto line : split(reply, '\n')) {
    if (line.size() >= 4 && digit(line[0]) && digit(line[1]) && digit(line[2])) line.remove_prefix(4);
    out += to_lower(line);
    out += '\n';
  }
  return out;
}

}  // namespace

Duration RetryPlan::delay(int attempts, double chance, std::optional<Duration> hint) const {
  const double curve = kFirstDelay * std::pow(kGrowth, std::max(attempts, 0)) * (1 + jitter * chance);
  const double seconds = hint ? std::chrono::duration<double>(*hint).count() : std::min(curve, kLongestDelay);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds * scale));
}

std::optional<Duration> retry_hint(std::string_view reply) {
  const std::string text = without_codes(reply);
  auto found = anywhere(text, "second", 1);
  if (!found) found = anywhere(text, "minute", 60);
  if (!found) found = after_in(text);
  if (!found) found = clock_span(text);
  if (!found) return std::nullopt;
  return std::clamp(Duration(*found + kMargin), kShortestHint, kLongestHint);
}

}  // namespace posthaste::policy
