#include "sql/mariadb_values.h"

#include <charconv>

namespace posthaste::sql {

MYSQL_TIME to_mysql_time(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  MYSQL_TIME t{};
  t.year = int(date.year());
  t.month = unsigned(date.month());
  t.day = unsigned(date.day());
  t.hour = clock.hours().count();
  t.minute = clock.minutes().count();
  t.second = clock.seconds().count();
  t.second_part = clock.subseconds().count();
  t.time_type = MYSQL_TIMESTAMP_DATETIME;
  return t;
}

std::optional<Time> from_mysql_time(const MYSQL_TIME& t) {
  const auto date = std::chrono::year(int(t.year)) / std::chrono::month(t.month) / std::chrono::day(t.day);
  if (t.year == 0 || !date.ok()) return std::nullopt;
  return Time(std::chrono::sys_days(date)) + std::chrono::hours(t.hour) + std::chrono::minutes(t.minute) +
         std::chrono::seconds(t.second) + std::chrono::microseconds(t.second_part);
}

std::string to_unix_decimal(Time time) {
  const auto micros = to_unix_micros(time);
  const auto magnitude = micros < 0 ? -micros : micros;
  return fmt::format("{}{}.{:06}", micros < 0 ? "-" : "", magnitude / 1000000, magnitude % 1000000);
}

std::optional<Time> from_unix_decimal(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc()) return std::nullopt;
  std::int64_t micros = seconds * 1000000;
  text.remove_prefix(end - text.data());
  if (text.starts_with('.')) {
    std::int64_t unit = 100000;
    for (const char c : text.substr(1, 6)) {
      if (c < '0' || c > '9') return std::nullopt;
      micros += (c - '0') * unit;
      unit /= 10;
    }
  }
  return from_unix_micros(negative ? -micros : micros);
}

}  // namespace posthaste::sql
