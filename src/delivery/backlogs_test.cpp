#include "delivery/backlogs.h"

#include <gtest/gtest.h>

namespace posthaste::delivery {
namespace {

store::QueuedMessage message(const std::string& domain, std::optional<store::Id> source = {}) {
  store::QueuedMessage m;
  m.domain = domain;
  m.ip_address_id = source;
  return m;
}

void take(Backlogs& backlogs, const std::string& domain, int count) {
  for (int i = 0; i < count; ++i) backlogs.took({domain, {}});
}

TEST(Backlogs, ASiteIsFullAtItsLimitAndTakesMoreWhenHalfHasGone) {
  Backlogs backlogs({.window = 1000, .site = 20});
  int told = 0;
  backlogs.when_room([&] { ++told; });
  take(backlogs, "slow.test", 19);
  EXPECT_TRUE(backlogs.full().empty());
  take(backlogs, "slow.test", 1);
  EXPECT_EQ(backlogs.full(), (std::vector<store::Site>{{"slow.test", {}}}));
  for (int i = 0; i < 9; ++i) backlogs.gone({"slow.test", {}});
  EXPECT_EQ(backlogs.full().size(), 1U);
  EXPECT_EQ(told, 0);
  backlogs.gone({"slow.test", {}});
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(backlogs.full().empty());
  EXPECT_EQ(backlogs.in_memory(), 10U);
}

TEST(Backlogs, WhatIsHandedOverKeepsToTheLimitsToo) {
  Backlogs backlogs({.window = 1000, .site = 20});
  take(backlogs, "slow.test", 20);
  EXPECT_FALSE(backlogs.takes({message("Slow.test")}));
  EXPECT_FALSE(backlogs.takes({message("quick.test"), message("slow.test")}));
  EXPECT_TRUE(backlogs.takes({message("quick.test")}));
  EXPECT_TRUE(backlogs.takes({message("slow.test", 3)})) << "from another address it may be quick";
}

TEST(Backlogs, ManySlowSitesLeaveRoomForOthers) {
  Backlogs backlogs({.window = 1000, .site = 200});
  for (int site = 0; site < 30; ++site) {
    const std::string name = "slow" + std::to_string(site) + ".test";
    for (int i = 0; i < 1000; ++i) {
      const auto full = backlogs.full();
      if (std::ranges::find(full, name, &store::Site::domain) != full.end()) break;
      backlogs.took({name, {}});
    }
  }
  EXPECT_GT(backlogs.room(), 0U);
  EXPECT_TRUE(backlogs.takes({message("quick.test")}));
}

TEST(Backlogs, ASiteThatStandsStillHasRoomWhenOthersLeaveTheWindow) {
  Backlogs backlogs({.window = 160, .site = 20});
  take(backlogs, "still.test", 7);
  take(backlogs, "other.test", 151);
  take(backlogs, "still.test", 1);
  ASSERT_EQ(backlogs.full().size(), 2U);
  for (int i = 0; i < 151; ++i) backlogs.gone({"other.test", {}});
  EXPECT_TRUE(backlogs.full().empty());
}

}  // namespace
}  // namespace posthaste::delivery
