#include "inspection/breaker.h"

#include <gtest/gtest.h>

namespace posthaste::inspection {
namespace {

TEST(Breaker, RestsAfterFiveFailuresInARowAndTriesOneAtATime) {
  Breaker breaker("test");
  auto now = Steady::time_point{} + 1h;
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(breaker.may_ask(now));
    breaker.report(i % 2 ? Outcome::Failed : Outcome::TimedOut, now);
  }
  EXPECT_FALSE(breaker.may_ask(now));
  now += 16s;
  EXPECT_TRUE(breaker.may_ask(now));
  EXPECT_FALSE(breaker.may_ask(now)) << "one tries";
  breaker.report(Outcome::Failed, now);
  EXPECT_FALSE(breaker.may_ask(now + 1s));
  now += 16s;
  EXPECT_TRUE(breaker.may_ask(now));
  breaker.report(Outcome::Answered, now);
  EXPECT_TRUE(breaker.may_ask(now));
  EXPECT_TRUE(breaker.may_ask(now));
}

TEST(Breaker, AnAnswerBetweenFailuresStartsTheCountAnew) {
  Breaker breaker("test");
  const auto now = Steady::time_point{} + 1h;
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(breaker.may_ask(now));
    breaker.report(i % 4 == 3 ? Outcome::Unreadable : Outcome::Failed, now);
  }
}

}  // namespace
}  // namespace posthaste::inspection
