#include "delivery/lane.h"

#include <gtest/gtest.h>

namespace posthaste::delivery {
namespace {

const Steady::time_point kNow = Steady::time_point(1h);

void add_ready(Lane& lane, int count) {
  for (int i = 0; i < count; ++i) {
    auto attempt = std::make_shared<Attempt>();
    attempt->job.arrival = ++lane.arrivals;
    lane.ready.push_back(std::move(attempt));
  }
  lane.ready_since = kNow;
}

TEST(Lane, OpensTheFirstConnectionForTheFirstMessage) {
  Lane lane;
  EXPECT_FALSE(wants_connection(lane, 20, kNow));
  add_ready(lane, 1);
  EXPECT_TRUE(wants_connection(lane, 20, kNow));
}

TEST(Lane, OpensAnotherOnlyIfTheBacklogWarrantsIt) {
  Lane lane;
  lane.connections = 1;
  add_ready(lane, 10);
  EXPECT_FALSE(wants_connection(lane, 20, kNow));
  add_ready(lane, 1);
  EXPECT_TRUE(wants_connection(lane, 20, kNow));
  lane.connecting = true;
  EXPECT_FALSE(wants_connection(lane, 20, kNow)) << "one at a time";
}

TEST(Lane, OpensAnotherWhenAMessageWaitsForLong) {
  Lane lane;
  lane.connections = 1;
  add_ready(lane, 1);
  EXPECT_FALSE(wants_connection(lane, 20, kNow + 500ms));
  EXPECT_TRUE(wants_connection(lane, 20, kNow + 1500ms))
      << "a remote host that takes its time does not hold up the rest";
}

TEST(Lane, NeverGoesAboveItsLimit) {
  Lane lane;
  lane.connections = 20;
  add_ready(lane, 5000);
  EXPECT_FALSE(wants_connection(lane, 20, kNow + 1h));
}

TEST(Lane, GivesMovedMessagesToNewConnectionsOnly) {
  Lane lane;
  add_ready(lane, 1);
  lane.moved.push_back(std::make_shared<Attempt>());
  const auto moved = lane.moved.front(), ready = lane.ready.front();
  EXPECT_EQ(take_for(lane, false, false), ready);
  EXPECT_EQ(take_for(lane, false, false), nullptr);
  EXPECT_EQ(take_for(lane, true, false), moved);
}

TEST(Lane, SharesAFailedRoundWithThoseWhoHadArrived) {
  Lane lane;
  add_ready(lane, 3);
  lane.failure = ConnectFailure{{}, "", {"mx.x.test"}, "Connection refused", "ABCDEFGH"};
  lane.failed_up_to = lane.arrivals;
  add_ready(lane, 1);
  EXPECT_EQ(take_failed(lane).size(), 3U);
  EXPECT_EQ(lane.ready.size(), 1U) << "who came later gets a round of its own";
}

}  // namespace
}  // namespace posthaste::delivery
