#include "mail/date.h"

#include <gtest/gtest.h>

namespace posthaste::mail {
namespace {

std::string read(std::string_view text) {
  const auto date = parse_date(text);
  return date ? to_text(*date) : "none";
}

TEST(ParseDate, ReadsWhatMailHas) {
  EXPECT_EQ(read("Thu, 3 Nov 2016 10:43:18 +0000"), "Thu, 03 Nov 2016 10:43:18 +0000");
  EXPECT_EQ(read("3 Nov 2016 10:43 EST"), "Thu, 03 Nov 2016 10:43:00 -0500");
  EXPECT_EQ(read("Thu, 3 Nov 2016 10:43:18 +0100 (CET)"), "Thu, 03 Nov 2016 10:43:18 +0100");
  EXPECT_EQ(read("Thu, 3 Nov 16 10:43:18 GMT"), "Thu, 03 Nov 2016 10:43:18 +0000");
  EXPECT_EQ(read("Mon, 29 Feb 2016 23:59:60 -0030"), "Tue, 01 Mar 2016 00:00:00 -0030");
  EXPECT_EQ(read("3 November 2016"), "Thu, 03 Nov 2016 00:00:00 +0000");
}

TEST(ParseDate, IsATimeInUtc) {
  EXPECT_EQ(to_iso8601(parse_date("Sun, 06 Nov 1994 08:49:37 GMT")->time, 0), "1994-11-06T08:49:37Z");
  EXPECT_EQ(to_iso8601(parse_date("1 Jan 2024 00:30:00 +0100")->time, 0), "2023-12-31T23:30:00Z");
}

TEST(ParseDate, RefusesWhatIsNone) {
  for (const auto* text :
       {"", "yesterday", "30 Feb 2016 10:00 +0000", "3 Nov 2016 25:00:00 +0000", "3 Nov", "3 Nov 2016 10:43 +99999",
        "3 Nov 2016 10:43 XYZ", "2016-11-03", "((((", "99999999999 Nov 2016"})
    EXPECT_EQ(read(text), "none") << text;
}

}  // namespace
}  // namespace posthaste::mail
