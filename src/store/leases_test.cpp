// Who holds a queue row, and what becomes of it when its holder goes.
#include <gtest/gtest.h>

#include <thread>

#include "store/testing_store.h"

namespace posthaste::store {
namespace {

using testing::accept;
using testing::conclude;
using testing::concluded;
using testing::Installation;
using testing::submission;

constexpr Id kServer = Installation::kServer;

class LeaseTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  void lock_all(std::string_view by, Time at) {
    const std::string when = world_.sqlite() ? std::to_string(to_unix_micros(at)) : "'" + to_datetime(at) + "'";
    world_.run(kServer,
               fmt::format("UPDATE {{queue}}`queued_messages` SET locked_by = '{}', locked_at = {}", by, when));
  }

  Installation& world_ = testing::fresh_installation(GetParam());
};

TEST_P(LeaseTest, ItsTextNamesTheNodeAndCountsItsStarts) {
  std::string first, second;
  {
    const auto store = world_.open();
    first = store->lease();
    EXPECT_TRUE(store->heartbeat());
    store->close();
  }
  {
    const auto store = world_.open();
    second = store->lease();
  }
  EXPECT_TRUE(first.starts_with("posthaste "));
  EXPECT_TRUE(first.ends_with(" 1"));
  EXPECT_EQ(second, first.substr(0, first.size() - 1) + "2");
}

TEST_P(LeaseTest, ClaimedAtAcceptanceARowIsNotClaimedAgain) {
  const auto store = world_.open();
  const auto stored = accept(*store, submission(), true);
  ASSERT_TRUE(stored);
  EXPECT_TRUE(store->claim(10, {}).empty());
  EXPECT_EQ(world_.text(kServer, "SELECT locked_by FROM {queue}`queued_messages`"), store->lease());
  QueuedMessage handed{
      .server_id = kServer, .queue_id = stored->messages[0].queue_id, .message_id = stored->messages[0].message_id};
  ASSERT_TRUE(conclude(*store, concluded(handed, "Sent")));
  EXPECT_TRUE(store->queue({}).empty());
}

TEST_P(LeaseTest, RowsOfAnEarlierStartGoBackToWorkAtOnce) {
  {
    const auto store = world_.open();
    ASSERT_TRUE(accept(*store, submission(kServer, 3), true));
  }
  const auto store = world_.open();
  EXPECT_TRUE(store->claim(10, {}).empty());
  EXPECT_EQ(store->reclaim(), 3u);
  EXPECT_EQ(store->claim(10, {}).size(), 3u);
  EXPECT_EQ(store->reclaim(), 0u);  // they are ours now
}

TEST_P(LeaseTest, AKeptRowComesBackWithoutCountingTheAttempt) {
  const auto store = world_.open();
  ASSERT_TRUE(accept(*store, submission()));
  const auto claimed = store->claim(1, {});
  Conclusion kept = concluded(claimed.at(0), "", QueueChange::Keep);
  kept.delivery.reset();
  ASSERT_TRUE(conclude(*store, kept));
  const auto again = store->claim(1, {});
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].attempts, 0);
}

TEST_P(LeaseTest, PostalsLocksAreFreedOnlyWhenStale) {
  const auto store = world_.open();
  ASSERT_TRUE(accept(*store, submission()));
  lock_all("host:old pid:1 thread:2 0123456789abcdef", system_now() - std::chrono::minutes(10));
  EXPECT_EQ(store->reclaim(), 0u);
  lock_all("host:old pid:1 thread:2 0123456789abcdef", system_now() - std::chrono::hours(48));
  EXPECT_EQ(store->reclaim(), 1u);
  EXPECT_EQ(store->claim(10, {}).size(), 1u);
}

TEST_P(LeaseTest, ARowWhoseMessageWasSentUnderADeadLeaseIsOnlyRemoved) {
  const auto store = world_.open();
  ASSERT_TRUE(accept(*store, submission(kServer, 2)));
  lock_all("posthaste 00000000-0000-4000-8000-000000000000 1", system_now() - std::chrono::minutes(5));
  const Id id = world_.number(kServer, "SELECT MIN(id) FROM {message}`messages`");
  const Time now = system_now();
  const std::string when =
      world_.sqlite() ? std::to_string(to_unix_micros(now)) : fmt::format("{:.6f}", to_unix_seconds(now));
  world_.run(kServer, fmt::format("INSERT INTO {{message}}`deliveries` (message_id, status, timestamp) VALUES ({}, "
                                  "'Sent', {})",
                                  id, when));
  EXPECT_EQ(store->reclaim(), 2u);
  const auto claimed = store->claim(10, {});
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_NE(claimed[0].message_id, id);
}

TEST_P(LeaseTest, AnOutcomeFoundInTheJournalAppliesToTheEarlierRunsRow) {
  QueuedMessage row;
  Conclusion sent;
  {
    const auto store = world_.open();
    ASSERT_TRUE(accept(*store, submission(kServer, 2)));
    const auto claimed = store->claim(10, {});
    ASSERT_EQ(claimed.size(), 2u);
    row = claimed[0];
    sent = concluded(row, "Sent");
    sent.delivery->log_id = "LOG1";
    sent.recovered = true;
  }
  const auto store = world_.open();
  ASSERT_TRUE(conclude(*store, sent));
  ASSERT_TRUE(conclude(*store, sent));  // the journal is read again after a second crash
  EXPECT_EQ(store->deliveries(kServer, row.message_id).size(), 1u);
  EXPECT_EQ(store->message(kServer, row.message_id)->status, "Sent");
  EXPECT_EQ(store->queue({}).size(), 1u);
}

TEST_P(LeaseTest, AnOutcomeOfALostLeaseKeepsTheDelivery) {
  const auto store = world_.open();
  ASSERT_TRUE(accept(*store, submission()));
  const auto claimed = store->claim(1, {});
  lock_all("posthaste someone-else 1", system_now());
  ASSERT_TRUE(conclude(*store, concluded(claimed.at(0), "Sent")));
  EXPECT_EQ(store->deliveries(kServer, claimed[0].message_id).size(), 1u);
  EXPECT_EQ(store->queue({}).size(), 1u);
}

TEST_P(LeaseTest, SettlesForAnotherProcessOnlyWhatIsStillUnderThatOnesLease) {
  const auto store = world_.open();
  ASSERT_TRUE(accept(*store, submission()));
  const auto row = store->claim(1, {}).at(0);
  lock_all("posthaste dead 1", system_now());
  EXPECT_EQ(store->queue({}).at(0).locked_by, "posthaste dead 1");
  auto sent = concluded(row, "Sent");
  sent.recovered = true;
  sent.lease = "posthaste dead-too 1";
  ASSERT_TRUE(conclude(*store, sent));
  EXPECT_EQ(store->queue({}).size(), 1u);
  sent.lease = "posthaste dead 1";
  ASSERT_TRUE(conclude(*store, sent));
  EXPECT_TRUE(store->queue({}).empty());
  EXPECT_EQ(store->deliveries(kServer, row.message_id).size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Engines, LeaseTest, ::testing::Values(sql::Dialect::Sqlite, sql::Dialect::MariaDb),
                         [](const auto& info) { return info.param == sql::Dialect::Sqlite ? "Sqlite" : "MariaDb"; });

// --- several processes on one MariaDB

TEST(SharedQueue, EveryRowIsClaimedOnce) {
  const Installation& world = testing::fresh_installation(sql::Dialect::MariaDb);
  const auto one = world.open(), two = world.open();
  EXPECT_NE(one->lease(), two->lease());
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(accept(*one, submission(kServer, 250)));
  std::vector<Id> claimed[4];
  {
    std::vector<std::jthread> workers;
    for (int w = 0; w < 4; ++w)
      workers.emplace_back([&, w] {
        Store& store = w % 2 == 0 ? *one : *two;
        for (int empty = 0; empty < 3;) {
          const auto rows = store.claim(20, {});
          empty = rows.empty() ? empty + 1 : 0;
          for (const auto& row : rows) claimed[w].push_back(row.queue_id);
        }
      });
  }
  std::vector<Id> all;
  for (const auto& part : claimed) all.insert(all.end(), part.begin(), part.end());
  EXPECT_EQ(all.size(), 1000u);
  EXPECT_EQ(std::set<Id>(all.begin(), all.end()).size(), 1000u);
}

TEST(SharedQueue, ALivingNodesRowsStayItsOwnUntilItFallsSilent) {
  const Installation& world = testing::fresh_installation(sql::Dialect::MariaDb);
  const auto one = world.open(), two = world.open();
  ASSERT_TRUE(accept(*one, submission(kServer, 2), true));
  EXPECT_EQ(two->reclaim(), 0u);
  world.run_main("UPDATE {main}`posthaste_nodes` SET seen_at = UTC_TIMESTAMP(6) - INTERVAL 61 SECOND");
  EXPECT_EQ(two->reclaim(), 2u);
  EXPECT_EQ(two->claim(10, {}).size(), 2u);
}

TEST(SharedQueue, ANodeWhoseIdWasTakenOverNotices) {
  const Installation& world = testing::fresh_installation(sql::Dialect::MariaDb);
  const auto store = world.open();
  EXPECT_TRUE(store->heartbeat());
  world.run_main("UPDATE {main}`posthaste_nodes` SET start_no = start_no + 1");
  EXPECT_FALSE(store->heartbeat());
}

TEST(SharedQueue, ASecondProcessOnTheSameSqliteFilesIsRefused) {
  const Installation world(sql::Dialect::Sqlite);
  const auto first = world.open();
  const auto second = Store::open(world.config);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::Conflict);
  EXPECT_NE(second.error().text.find(std::to_string(getpid())), std::string::npos) << second.error().text;
  EXPECT_TRUE(Store::open(world.config, {.read_only = true}));
}

}  // namespace
}  // namespace posthaste::store
