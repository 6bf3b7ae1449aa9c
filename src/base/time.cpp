#include "base/time.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cmath>
#include <cstdio>

namespace posthaste {

namespace {

struct Parts {
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::microseconds> clock;
};

Parts parts_of(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  return {std::chrono::year_month_day{day}, std::chrono::hh_mm_ss{time - day}};
}

std::string date_text(const Parts& p) {
  return fmt::format("{:04}-{:02}-{:02}", int(p.date.year()), unsigned(p.date.month()), unsigned(p.date.day()));
}

std::string clock_text(const Parts& p) {
  return fmt::format("{:02}:{:02}:{:02}", p.clock.hours().count(), p.clock.minutes().count(),
                     p.clock.seconds().count());
}

}  // namespace

Time system_now() { return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now()); }

double to_unix_seconds(Time time) { return double(time.time_since_epoch().count()) / 1e6; }
std::int64_t to_unix_micros(Time time) { return time.time_since_epoch().count(); }
Time from_unix_micros(std::int64_t micros) { return Time(std::chrono::microseconds(micros)); }

std::string to_rfc5322(Time time, std::string_view zone) {
  static constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const Parts p = parts_of(time);
  const auto weekday = std::chrono::weekday{std::chrono::floor<std::chrono::days>(time)}.c_encoding();
  return fmt::format("{}, {:02} {} {:04} {} {}", kDays[weekday], unsigned(p.date.day()),
                     kMonths[unsigned(p.date.month()) - 1], int(p.date.year()), clock_text(p), zone);
}

std::string to_date(Time time) { return date_text(parts_of(time)); }

std::string to_iso8601(Time time, int digits) {
  const Parts p = parts_of(time);
  const auto micros = p.clock.subseconds().count();
  std::string fraction;
  if (digits == 3) fraction = fmt::format(".{:03}", micros / 1000);
  if (digits == 6) fraction = fmt::format(".{:06}", micros);
  return fmt::format("{}T{}{}Z", date_text(p), clock_text(p), fraction);
}

std::string to_datetime(Time time) {
  const Parts p = parts_of(time);
  return fmt::format("{} {}.{:06}", date_text(p), clock_text(p), p.clock.subseconds().count());
}

std::optional<Time> from_datetime(std::string_view text) {
  const std::string owned(text);
  int year, month, day, hour = 0, minute = 0, second = 0, used = 0;
  if (std::sscanf(owned.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3) return std::nullopt;
  std::string_view rest = std::string_view(owned).substr(used);
  if (!rest.empty()) {
    if (std::sscanf(rest.data() + 1, "%2d:%2d:%2d%n", &hour, &minute, &second, &used) != 3) return std::nullopt;
    rest.remove_prefix(used + 1);
  }
  std::int64_t micros = 0;
  if (!rest.empty() && rest[0] == '.') {
    std::int64_t unit = 100000;
    for (char c : rest.substr(1)) {
      if (c < '0' || c > '9') return std::nullopt;
      micros += unit * (c - '0');
      unit /= 10;
    }
  }
  const auto date = std::chrono::year(year) / month / day;
  if (!date.ok()) return std::nullopt;
  return Time(std::chrono::sys_days(date)) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second) + std::chrono::microseconds(micros);
}

}  // namespace posthaste
