#include "manage/password.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace posthaste::manage {
namespace {

std::vector<std::string> problems_of(std::string_view password) {
  Problems problems;
  check_password(problems, password);
  return problems.messages();
}

TEST(Password, MatchesTheDigestMadeOfIt) {
  auto digest = hash_password("correct horse", 4);
  EXPECT_TRUE(digest.starts_with("$2a$04$"));
  EXPECT_TRUE(password_matches("correct horse", digest));
  EXPECT_FALSE(password_matches("correct horsf", digest));
  EXPECT_NE(hash_password("correct horse", 4), digest);
}

TEST(Password, PublishedDigestsMatch) {
  EXPECT_TRUE(password_matches("abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"));
}

TEST(Password, NothingMatchesADigestOfAnotherForm) {
  EXPECT_FALSE(password_matches("x", ""));
  EXPECT_FALSE(password_matches("x", "$1$abc$def"));
  EXPECT_FALSE(password_matches("x", "$2a$99$broken"));
}

TEST(Password, RulesNameWhatIsWrong) {
  EXPECT_THAT(problems_of("ten letters"), testing::IsEmpty());
  EXPECT_THAT(problems_of("nine char"), testing::ElementsAre("Password is too short (minimum is 10 characters)"));
  EXPECT_THAT(problems_of(""), testing::ElementsAre("Password can't be blank"));
  EXPECT_THAT(problems_of(std::string(73, 'x')), testing::ElementsAre("Password is too long (maximum is 72 bytes)"));
}

}  // namespace
}  // namespace posthaste::manage
