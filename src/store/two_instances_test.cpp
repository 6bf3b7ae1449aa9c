// Main and message databases on two MariaDB servers: messages are committed first, their queue rows second.
#include <gtest/gtest.h>

#include <thread>

#include "store/testing_store.h"

namespace posthaste::store {
namespace {

using namespace std::chrono_literals;
using testing::accept;
using testing::conclude;
using testing::concluded;
using testing::Installation;
using testing::submission;

constexpr Id kServer = Installation::kServer;
constexpr std::string_view kMessages = "SELECT COUNT(*) FROM {message}`messages`";
constexpr std::string_view kQueued = "SELECT COUNT(*) FROM {queue}`queued_messages`";

class TwoInstances : public ::testing::Test {
 protected:
  // True when it became so within ten seconds.
  static bool eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 500; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(20ms);
    }
    return false;
  }

  sql::testing::MariaDb& main_ = sql::testing::MariaDb::second();
  sql::testing::MariaDb& messages_ = sql::testing::MariaDb::shared();
  Installation world_{sql::Dialect::MariaDb, &main_, &messages_};
  std::unique_ptr<Store> store_ = world_.open();
};

TEST_F(TwoInstances, AMessageGoesThroughBoth) {
  ASSERT_TRUE(accept(*store_, submission(kServer, 2)));
  EXPECT_EQ(world_.number(kServer, kMessages), 2);
  EXPECT_EQ(world_.main_number(kQueued), 2);
  const auto claimed = store_->claim(10, {});
  ASSERT_EQ(claimed.size(), 2u);
  ASSERT_TRUE(conclude(*store_, concluded(claimed[0], "Sent")));
  Conclusion held = concluded(claimed[1], "Held");
  ASSERT_TRUE(conclude(*store_, held));
  EXPECT_EQ(world_.main_number(kQueued), 0);
  EXPECT_EQ(store_->requeue(kServer, claimed[1].message_id), Store::Requeued::Released);
  EXPECT_EQ(store_->message(kServer, claimed[1].message_id)->status, "Pending");
  EXPECT_EQ(world_.main_number(kQueued), 1);
}

TEST_F(TwoInstances, WithoutTheQueueNothingIsAcceptedAndNothingStays) {
  ASSERT_TRUE(accept(*store_, submission()));
  main_.crash();
  const auto refused = accept(*store_, submission());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Unavailable);
  main_.restart();
  EXPECT_TRUE(eventually([&] { return accept(*store_, submission()).has_value(); }));
  EXPECT_TRUE(eventually([&] { return world_.number(kServer, kMessages) == 2; }));
  EXPECT_EQ(world_.main_number(kQueued), 2);
}

TEST_F(TwoInstances, AnOutcomeThatGotHalfWayIsNotRecordedTwice) {
  ASSERT_TRUE(accept(*store_, submission()));
  const auto claimed = store_->claim(1, {});
  main_.crash();
  std::atomic<bool> answered = false;
  store_->conclude(concluded(claimed.at(0), "Sent"), [&](Result<> result) { answered = result.has_value(); });
  EXPECT_TRUE(eventually([&] { return !store_->deliveries(kServer, claimed[0].message_id).empty(); }));
  EXPECT_TRUE(eventually([&] { return !store_->healthy(); }));
  main_.restart();
  EXPECT_TRUE(eventually([&] { return answered.load(); }));
  EXPECT_EQ(store_->deliveries(kServer, claimed[0].message_id).size(), 1u);
  EXPECT_EQ(world_.main_number(kQueued), 0);
}

TEST_F(TwoInstances, AtStartMessagesThatWereNeverAcceptedAreRemoved) {
  ASSERT_TRUE(accept(*store_, submission(kServer, 2)));
  store_.reset();
  world_.run(kServer, "UPDATE {message}`messages` SET timestamp = timestamp - 600");
  world_.run_main("DELETE FROM {queue}`queued_messages` WHERE message_id = 1");
  const auto store = world_.open();
  store->reclaim();
  EXPECT_FALSE(store->message(kServer, 1));
  EXPECT_TRUE(store->message(kServer, 2));
}

}  // namespace
}  // namespace posthaste::store
