#include "delivery/recovery.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "base/random.h"
#include "delivery/fake_store.h"

namespace posthaste::delivery {
namespace {

const Time kNow = from_unix_micros(1'767'225'600'000'000);

class Recovery : public ::testing::Test {
 protected:
  Recovery() { db.entries = {entry("posthaste a 1")}; }
  ~Recovery() override { std::filesystem::remove_all(folder_); }

  // A run that ended without a word.
  void killed_after(const std::function<void(Journal&)>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
      work(*Journal::open(folder_.string()).value());
      ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
  }
  void start() {
    auto journal = std::move(Journal::open(folder_.string()).value());
    settle_left_over(*journal, db, kNow, plan);
  }
  std::string folder() const { return folder_.string(); }
  static store::QueueEntry entry(std::string locked_by) {
    store::QueueEntry entry;
    entry.server_id = 1;
    entry.message_id = 2;
    entry.queue_id = 3;
    entry.locked = true;
    entry.locked_by = std::move(locked_by);
    return entry;
  }
  static store::Conclusion sent() {
    store::Conclusion conclusion;
    conclusion.server_id = 1;
    conclusion.message_id = 2;
    conclusion.queue_id = 3;
    conclusion.delivery.emplace();
    conclusion.delivery->message_id = 2;
    conclusion.delivery->status = "Sent";
    conclusion.delivery->log_id = "ABCDEFGH";
    conclusion.prepend_headers = "X-Postal-MsgID: abc\r\n";
    return conclusion;
  }

  testing::FakeStore db;
  policy::RetryPlan plan;

 private:
  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / ("recovery-" + random_hex(12));
};

TEST_F(Recovery, StoresAnOutcomeThatWasNotCommitted) {
  killed_after([](Journal& j) { j.outcome(j.sending({1, 2, 3, "mx", kNow, "posthaste a 1"}), sent()); });
  start();
  ASSERT_EQ(db.concluded().size(), 1U);
  EXPECT_EQ(db.concluded().front().delivery->status, "Sent");
  EXPECT_TRUE(db.concluded().front().recovered);
  start();
  EXPECT_EQ(db.concluded().size(), 1U) << "once";
}

TEST_F(Recovery, RemovesOnlyTheQueueRowOfAnOutcomeThatWas) {
  db.rows[2].push_back(*sent().delivery);
  killed_after([](Journal& j) { j.outcome(j.sending({1, 2, 3, "mx", kNow, "posthaste a 1"}), sent()); });
  start();
  ASSERT_EQ(db.concluded().size(), 1U);
  EXPECT_FALSE(db.concluded().front().delivery);
  EXPECT_TRUE(db.concluded().front().prepend_headers.empty());
  EXPECT_EQ(db.concluded().front().queue, store::QueueChange::Done);
}

TEST_F(Recovery, RetriesWhatIsInDoubtAfterAPause) {
  killed_after([](Journal& j) { j.sending({1, 2, 3, "192.0.2.1:25 (mx.test)", kNow - 10s, "posthaste a 1"}); });
  start();
  ASSERT_EQ(db.concluded().size(), 1U);
  const auto conclusion = db.concluded().front();
  EXPECT_EQ(conclusion.delivery->status, "SoftFail");
  EXPECT_EQ(
      conclusion.delivery->details,
      "Delivery was interrupted after the message had been sent to 192.0.2.1:25 (mx.test). It will be retried and "
      "may arrive twice.");
  EXPECT_EQ(conclusion.queue, store::QueueChange::Retry);
  EXPECT_EQ(conclusion.retry_at, kNow + 300s);
  EXPECT_TRUE(conclusion.recovered);
}

TEST_F(Recovery, ScalesThePause) {
  killed_after([](Journal& j) { j.sending({1, 2, 3, "mx", kNow - 10s, "posthaste a 1"}); });
  plan.scale = 0.01;
  start();
  ASSERT_EQ(db.concluded().size(), 1U);
  EXPECT_EQ(db.concluded().front().retry_at, kNow + 3s);
  EXPECT_EQ(db.concluded().front().lease, "posthaste a 1");
  EXPECT_EQ(db.concluded().front().delivery->timestamp, kNow - 10s) << "known again when it is recorded twice";
}

TEST_F(Recovery, LeavesWhatSomebodyElseHasTakenOver) {
  db.entries = {entry("posthaste b 1")};
  auto failed = sent();
  failed.delivery->status = "SoftFail";
  failed.queue = store::QueueChange::Retry;
  killed_after([&](Journal& j) {
    j.sending({1, 2, 3, "mx", kNow, "posthaste a 1"});
    j.outcome(j.sending({1, 2, 3, "mx", kNow, "posthaste a 1"}), failed);
  });
  start();
  EXPECT_TRUE(db.concluded().empty());
}

TEST_F(Recovery, LeavesWhatSomebodyElseHasFinished) {
  db.entries.clear();
  killed_after([](Journal& j) { j.sending({1, 2, 3, "mx", kNow, "posthaste a 1"}); });
  start();
  EXPECT_TRUE(db.concluded().empty());
}

TEST_F(Recovery, SettlesWhatAnotherProcessLeavesWhileThisOneRuns) {
  auto journal = std::move(Journal::open(folder()).value());
  killed_after([](Journal& j) { j.sending({1, 2, 3, "mx", kNow, "posthaste a 1"}); });
  ASSERT_TRUE(journal->look_for_left());
  settle_left_over(*journal, db, kNow, plan);
  ASSERT_TRUE(journal->look_for_left());
  settle_left_over(*journal, db, kNow, plan);
  EXPECT_EQ(db.concluded().size(), 1U) << "once";
}

TEST_F(Recovery, HasNothingToDoAfterAnOrderlyEnd) {
  killed_after([](Journal& j) {
    const auto ticket = j.sending({1, 2, 3, "mx", kNow, "posthaste a 1"});
    j.outcome(ticket, sent());
    j.settled(ticket);
  });
  start();
  EXPECT_TRUE(db.concluded().empty());
}

}  // namespace
}  // namespace posthaste::delivery
