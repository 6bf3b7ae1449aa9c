#include "manage/permalink.h"

#include <gtest/gtest.h>

namespace posthaste::manage {
namespace {

TEST(Permalink, IsMadeOfTheNamesLettersAndDigits) {
  EXPECT_EQ(permalink_of("Acme Inc"), "acme-inc");
  EXPECT_EQ(permalink_of("  Two  spaces & more 7!"), "two-spaces-more-7");
  EXPECT_EQ(permalink_of("A.B.C"), "a-b-c");
  EXPECT_EQ(permalink_of("snake_case"), "snake-case");
}

TEST(Permalink, TransliteratesLatinLetters) {
  EXPECT_EQ(permalink_of("Ünïcode Größe"), "unicode-grosse");
  EXPECT_EQ(permalink_of("Łódź Œuvre"), "lodz-oeuvre");
  EXPECT_EQ(permalink_of("Cafe\u0301"), "cafe");
}

TEST(Permalink, IsEmptyWhenNothingRemains) {
  EXPECT_EQ(permalink_of("日本"), "");
  EXPECT_EQ(permalink_of(" -- "), "");
  EXPECT_EQ(permalink_of("\xff\xfe"), "");
}

}  // namespace
}  // namespace posthaste::manage
