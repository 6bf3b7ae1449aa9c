// Points in time: always UTC, microseconds. Clocks are passed in, never asked inside a decision.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace posthaste {

using namespace std::chrono_literals;

using Duration = std::chrono::microseconds;
using Time = std::chrono::sys_time<std::chrono::microseconds>;
using Clock = std::function<Time()>;

Time system_now();

// Seconds since the epoch as Postal's message databases and JSON have them, with microseconds as fraction.
double to_unix_seconds(Time time);
std::int64_t to_unix_micros(Time time);
Time from_unix_micros(std::int64_t micros);

// `Thu, 01 Jan 1970 00:00:00 -0000` (RFC 5322 3.3); zone is written as given: "-0000" in Received, "+0000" in Date.
std::string to_rfc5322(Time time, std::string_view zone = "+0000");

// `2026-01-31`, the UTC date that names a raw table.
std::string to_date(Time time);

// `2026-01-31T10:15:02.123Z`; digits: 0, 3 or 6 of the second's fraction.
std::string to_iso8601(Time time, int digits = 3);

// `2026-01-31 10:15:02.123456`, the form of MariaDB's DATETIME(6); and back (fraction optional). Nothing if malformed.
std::string to_datetime(Time time);
std::optional<Time> from_datetime(std::string_view text);

}  // namespace posthaste
