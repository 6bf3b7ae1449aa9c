#include "base/base64_lines.h"

#include <gtest/gtest.h>

namespace posthaste {
namespace {

TEST(ShortLines, AreThoseOfRuby) {
  EXPECT_EQ(base64_in_short_lines(""), "");
  EXPECT_EQ(base64_in_short_lines("\r\n\r\n"), "DQoNCg==\n");
  EXPECT_EQ(base64_in_short_lines(std::string(46, 'a')).find('\n'), 60u);
  EXPECT_EQ(base64_in_short_lines(std::string(46, 'a'), "|"),
            "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh|YQ==|");
}

}  // namespace
}  // namespace posthaste
