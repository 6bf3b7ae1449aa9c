#include "events/retry_schedule.h"

#include <gtest/gtest.h>

#include "events/breaker.h"

namespace posthaste::events {

TEST(RetrySchedule, PostalsFiveDelaysThenNoMore) {
  const RetrySchedule postal;
  const std::vector<Duration> expected = {2min, 3min, 6min, 10min, 15min};
  for (int i = 0; i < 5; ++i) EXPECT_EQ(postal.delay(i + 1, 500, {}, 0.9), expected[std::size_t(i)]);
  EXPECT_EQ(postal.delay(6, 500, {}, 0.5), std::nullopt);
}

TEST(RetrySchedule, ExtendedDelaysAreSpread) {
  const RetrySchedule longer({30min, 1h});
  EXPECT_EQ(longer.delay(6, -1, {}, 0.5), Duration(30min));
  EXPECT_EQ(longer.delay(6, -1, {}, 0.0), Duration(27min));
  EXPECT_EQ(longer.delay(7, -1, {}, 0.5), Duration(1h));
  EXPECT_EQ(longer.delay(8, -1, {}, 0.5), std::nullopt);
}

TEST(RetrySchedule, ObeysGoneAndRetryAfter) {
  const RetrySchedule postal;
  EXPECT_EQ(postal.delay(1, 410, {}, 0.5), std::nullopt);
  EXPECT_EQ(postal.delay(1, 503, Duration(1h), 0.5), Duration(1h));
  EXPECT_EQ(postal.delay(1, 429, Duration(1s), 0.5), Duration(2min));
  EXPECT_EQ(postal.delay(1, 429, Duration(100h), 0.5), Duration(24h));
  EXPECT_EQ(postal.delay(1, 500, Duration(1h), 0.5), Duration(2min));
}

TEST(RetrySchedule, ReadsDelaysAndRetryAfter) {
  EXPECT_EQ(*parse_delay("30m"), Duration(30min));
  EXPECT_EQ(*parse_delay(" 6H "), Duration(6h));
  EXPECT_EQ(*parse_delay("90"), Duration(90s));
  EXPECT_FALSE(parse_delay("soon"));
  EXPECT_FALSE(parse_delay(""));
  EXPECT_FALSE(parse_delay("0s"));
  const Time now = from_unix_micros(1704067200000000);  // 1 January 2024
  EXPECT_EQ(parse_retry_after("120", now), Duration(120s));
  EXPECT_EQ(parse_retry_after("Mon, 01 Jan 2024 00:01:00 GMT", now), Duration(1min));
  EXPECT_EQ(parse_retry_after("Sun, 31 Dec 2023 00:00:00 GMT", now), Duration(0));
  EXPECT_EQ(parse_retry_after("later", now), std::nullopt);
}

TEST(Breaker, OpensAfterTwentyFailuresInARowAndProbesEverMoreSeldom) {
  Breaker breaker;
  Breaker::Instant now{};
  for (int i = 0; i < 19; ++i) breaker.note(false, now);
  EXPECT_TRUE(breaker.admit(now));
  breaker.note(false, now);
  EXPECT_TRUE(breaker.open());
  for (const auto pause : {30s, 60s, 120s, 300s, 300s}) {
    EXPECT_FALSE(breaker.admit(now + pause - 1s));
    now += pause;
    EXPECT_TRUE(breaker.admit(now));
    EXPECT_FALSE(breaker.admit(now)) << "one probe at a time";
    breaker.note(false, now);
  }
  now += 300s;
  EXPECT_TRUE(breaker.admit(now));
  breaker.note(true, now);
  EXPECT_FALSE(breaker.open());
  EXPECT_TRUE(breaker.admit(now));
}

TEST(Breaker, OpensWhenHalfOfManyFail) {
  Breaker breaker;
  const Breaker::Instant now{};
  for (int i = 0; i < 24; ++i) {
    breaker.note(true, now);
    breaker.note(false, now);
  }
  EXPECT_FALSE(breaker.open());
  breaker.note(true, now);
  breaker.note(false, now);
  EXPECT_TRUE(breaker.open());
}

TEST(Breaker, ForgetsWhatIsLongAgo) {
  Breaker breaker;
  Breaker::Instant now{};
  for (int i = 0; i < 18; ++i) breaker.note(false, now);
  breaker.note(true, now);
  now += 6min;
  for (int i = 0; i < 40; ++i) {
    breaker.note(true, now);
    if (i < 18) breaker.note(false, now);
  }
  EXPECT_FALSE(breaker.open());
}

}  // namespace posthaste::events
