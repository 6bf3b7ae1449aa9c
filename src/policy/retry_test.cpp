#include "policy/retry.h"

#include <gtest/gtest.h>

#include <cmath>

namespace posthaste::policy {
namespace {

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

TEST(RetryPlan, WithoutJitterItIsPostalsSchedule) {
  const RetryPlan plan{.jitter = 0};
  const std::pair<int, double> schedule[] = {{0, 300}, {1, 390}, {2, 507}, {5, 1113.879}, {17, 25951.2}};
  for (auto [attempts, wanted] : schedule) EXPECT_NEAR(seconds(plan.delay(attempts, 0.5)), wanted, 0.1) << attempts;
}

TEST(RetryPlan, JitterStretchesByItsPartAtMost) {
  const RetryPlan plan{.jitter = 0.1};
  EXPECT_DOUBLE_EQ(seconds(plan.delay(0, 0)), 300);
  EXPECT_DOUBLE_EQ(seconds(plan.delay(0, 0.5)), 315);
  EXPECT_LT(seconds(plan.delay(0, 0.999)), 330);
}

TEST(RetryPlan, AHintWinsOverTheCurve) {
  EXPECT_DOUBLE_EQ(seconds(RetryPlan{}.delay(9, 0.7, std::chrono::seconds(310))), 310);
}

TEST(RetryPlan, ScaleAppliesToBoth) {
  const RetryPlan plan{.jitter = 0, .scale = 0.01};
  EXPECT_DOUBLE_EQ(seconds(plan.delay(0, 0)), 3);
  EXPECT_DOUBLE_EQ(seconds(plan.delay(0, 0, std::chrono::seconds(310))), 3.1);
}

TEST(RetryPlan, StaysFiniteHoweverManyAttempts) { EXPECT_LE(RetryPlan{}.delay(100000, 1), std::chrono::days(30)); }

TEST(RetryHint, IsReadFromManyWordings) {
  const std::pair<const char*, int> replies[] = {
      {"451 4.7.1 Greylisted, retry in 300 seconds", 310},
      {"451 Try again in 5 minutes", 310},
      {"451 4.7.1 come back in 90 Seconds please", 100},
      {"450 greylisted, wait 1 minute", 70},
      {"450 retry in 120s", 130},
      {"450 retry in 5min.", 310},
      {"450 retry in 5m", 310},
      {"450 retry in 1 hour", 3610},
      {"451 4.7.1 Greylisting in action, please come back in 00:05:00", 310},
      {"451-4.7.1 first line\n451 4.7.1 wait 00:10:00", 610},
  };
  for (auto [reply, wanted] : replies) {
    const auto hint = retry_hint(reply);
    ASSERT_TRUE(hint) << reply;
    EXPECT_EQ(seconds(*hint), wanted) << reply;
  }
}

TEST(RetryHint, StaysWithinReason) {
  EXPECT_EQ(retry_hint("451 Try again in 30 seconds"), kShortestHint);
  EXPECT_EQ(retry_hint("451 in 604800 seconds"), kLongestHint);
  EXPECT_EQ(retry_hint("451 in 99999999999999999999999 minutes"), kLongestHint);
}

TEST(RetryHint, OtherNumbersAreNone) {
  for (const char* reply : {"451 4.7.1 try later", "", "450", "450 4.2.1 mailbox busy", "451 in a minute",
                            "451 rejected at 2026-03-18 10:15:02 +0000", "451 2026-03-18T10:15:02Z", "451 100 secrets",
                            "451 limit is 5 m", "451 10:15:02:33"}) {
    EXPECT_FALSE(retry_hint(reply)) << reply;
  }
}

}  // namespace
}  // namespace posthaste::policy
