// A database that goes away in the middle: what was acknowledged is there afterwards, and every outcome is recorded.
#include <gtest/gtest.h>

#include <semaphore>
#include <thread>

#include "store/testing_store.h"

namespace posthaste::store {
namespace {

using namespace std::chrono_literals;
using testing::accept;
using testing::concluded;
using testing::Installation;
using testing::submission;

constexpr Id kServer = Installation::kServer;

class Crash : public ::testing::Test {
 protected:
  sql::testing::MariaDb& server_ = sql::testing::MariaDb::second();
  Installation world_{sql::Dialect::MariaDb, &server_};
  std::unique_ptr<Store> store_ = world_.open();
};

TEST_F(Crash, NothingAcknowledgedIsLost) {
  std::mutex mutex;
  std::vector<std::string> acknowledged;
  std::atomic<int> refused = 0;
  std::counting_semaphore<> free(50);
  std::atomic<bool> stop = false;
  std::jthread callers([&] {
    while (!stop) {
      Submission s = submission();
      const std::string token = s.messages[0].token;
      free.acquire();
      store_->accept(std::move(s), true, [&, token](Result<Stored> result) {
        if (result) {
          const std::scoped_lock lock(mutex);
          acknowledged.push_back(token);
        } else {
          EXPECT_EQ(result.error().kind, ErrorKind::Unavailable);
          ++refused;
          std::this_thread::sleep_for(1ms);
        }
        free.release();
      });
    }
    for (int i = 0; i < 50; ++i) free.acquire();
  });
  const auto count = [&] {
    const std::scoped_lock lock(mutex);
    return acknowledged.size();
  };
  for (int crash = 0; crash < 2; ++crash) {
    const auto before = count();
    for (int i = 0; i < 600 && count() < before + 300; ++i) std::this_thread::sleep_for(20ms);
    EXPECT_GE(count(), before + 300);
    server_.crash();
    for (int i = 0; i < 100 && refused == 0; ++i) std::this_thread::sleep_for(20ms);
    server_.restart();
  }
  const auto before = count();
  for (int i = 0; i < 600 && count() < before + 300; ++i) std::this_thread::sleep_for(20ms);
  stop = true;
  callers.join();
  EXPECT_GT(refused, 0);
  EXPECT_GE(count(), before + 300);
  for (int i = 0; i < 250 && !store_->healthy(); ++i) std::this_thread::sleep_for(20ms);  // it looks once a second
  EXPECT_TRUE(store_->healthy());

  std::set<std::string> stored;
  server_.connect()->query(
      store_->message(kServer,
                      "SELECT m.token FROM {message}`messages` m JOIN {queue}`queued_messages` q ON "
                      "q.server_id = 1 AND q.message_id = m.id"),
      {}, [&](const sql::Row& row) { EXPECT_TRUE(stored.insert(row.string(0)).second) << "stored twice"; });
  for (const auto& token : acknowledged) EXPECT_TRUE(stored.contains(token));
  // Every message has its queue row: none is half there.
  EXPECT_EQ(world_.number(kServer, "SELECT COUNT(*) FROM {message}`messages`"), std::int64_t(stored.size()));
}

TEST_F(Crash, OutcomesWaitForTheDatabaseAndAreRecordedOnce) {
  ASSERT_TRUE(accept(*store_, submission(kServer, 100)));
  const auto claimed = store_->claim(200, {});
  ASSERT_EQ(claimed.size(), 100u);
  std::atomic<int> answers = 0;
  const auto conclude_some = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i)
      store_->conclude(concluded(claimed[i], "Sent"), [&](Result<> result) {
        EXPECT_TRUE(result) << result.error().cause;
        ++answers;
      });
  };
  conclude_some(0, 50);
  server_.crash();
  conclude_some(50, 100);
  for (int i = 0; i < 500 && store_->healthy(); ++i) std::this_thread::sleep_for(20ms);
  EXPECT_FALSE(store_->healthy());
  EXPECT_LT(answers, 100);
  server_.restart();
  for (int i = 0; i < 600 && answers < 100; ++i) std::this_thread::sleep_for(20ms);
  EXPECT_EQ(answers, 100);
  EXPECT_EQ(world_.number(kServer, "SELECT COUNT(*) FROM {message}`deliveries`"), 100);
  EXPECT_EQ(world_.number(kServer, "SELECT COUNT(*) FROM {message}`messages` WHERE status = 'Sent'"), 100);
  EXPECT_EQ(world_.number(kServer, "SELECT COUNT(*) FROM {queue}`queued_messages`"), 0);
}

TEST_F(Crash, AtCloseEverybodyIsAnsweredThoughTheDatabaseIsGone) {
  ASSERT_TRUE(accept(*store_, submission()));
  const auto claimed = store_->claim(1, {});
  server_.crash();
  std::atomic<int> refused = 0;
  store_->conclude(concluded(claimed.at(0), "Sent"), [&](Result<> result) { refused += !result; });
  store_->accept(submission(), false, [&](Result<Stored> result) { refused += !result; });
  store_->close();
  EXPECT_EQ(refused, 2);
}

}  // namespace
}  // namespace posthaste::store
