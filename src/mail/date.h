// Dates of header fields (RFC 5322 3.3 and 4.3), and of HTTP, whose usual form is one of theirs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace posthaste::mail {

struct Date {
  Time time;
  int offset = 0;  // of the zone that it was written in, in minutes
};

// Without weekday, seconds or zone too (then UTC), with named zones, years of two digits, comments. Nothing if a part
// is missing or out of its range.
std::optional<Date> parse_date(std::string_view text);

// `Thu, 03 Nov 2016 10:43:18 -0500`, in its own zone.
std::string to_text(const Date& date);

}  // namespace posthaste::mail
