#include "delivery/journal.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/random.h"

namespace posthaste::delivery {
namespace {

namespace fs = std::filesystem;

class JournalTest : public ::testing::Test {
 protected:
  void SetUp() override { folder_ = fs::temp_directory_path() / ("journal-" + random_hex(12)); }
  void TearDown() override { fs::remove_all(folder_); }

  std::unique_ptr<Journal> open() { return std::move(Journal::open(folder_.string()).value()); }

  // Does `work` with a journal in a process that is then killed.
  void in_a_process_that_dies(const std::function<void(Journal&)>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
      auto journal = open();
      work(*journal);
      ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
  }

  fs::path only_file() const { return fs::directory_iterator(folder_)->path(); }

  fs::path folder_;
};

InDoubt message(store::Id id) {
  return {7, id, id + 100, "1.2.3.4:25 (mx.test)", from_unix_micros(1'700'000'000'000'000), "posthaste a 1"};
}

store::Conclusion sent(store::Id id) {
  store::Conclusion conclusion;
  conclusion.server_id = 7;
  conclusion.message_id = id;
  conclusion.queue_id = id + 100;
  conclusion.delivery.emplace();
  conclusion.delivery->message_id = id;
  conclusion.delivery->status = "Sent";
  conclusion.delivery->details = "Message for b@x.test accepted";
  conclusion.delivery->output = "250 ok";
  conclusion.delivery->code = 250;
  conclusion.delivery->seconds = 0.25;
  conclusion.delivery->log_id = "ABCDEFGH";
  conclusion.delivery->sent_with_ssl = true;
  conclusion.delivery->timestamp = from_unix_micros(1'700'000'001'000'000);
  conclusion.prepend_headers = "X-Postal-MsgID: abc\r\n";
  conclusion.tag = "news";
  conclusion.unsuppress_address = "b@x.test";
  return conclusion;
}

TEST_F(JournalTest, LeavesNothingOfWhatWasSettled) {
  in_a_process_that_dies([](Journal& journal) {
    const auto ticket = journal.sending(message(1));
    journal.outcome(ticket, sent(1));
    journal.settled(ticket);
  });
  auto journal = open();
  EXPECT_TRUE(journal->left().known.empty());
  EXPECT_TRUE(journal->left().in_doubt.empty());
}

TEST_F(JournalTest, BringsBackAnOutcomeThatTheDatabaseMayLack) {
  in_a_process_that_dies([](Journal& journal) { journal.outcome(journal.sending(message(1)), sent(1)); });
  auto journal = open();
  ASSERT_EQ(journal->left().known.size(), 1U);
  EXPECT_TRUE(journal->left().in_doubt.empty());
  const auto& found = journal->left().known.front();
  EXPECT_EQ(found.queue_id, 101);
  EXPECT_EQ(found.lease, "posthaste a 1");
  EXPECT_EQ(found.delivery->status, "Sent");
  EXPECT_EQ(found.delivery->output, "250 ok");
  EXPECT_EQ(found.delivery->code, 250);
  EXPECT_EQ(found.delivery->seconds, 0.25);
  EXPECT_EQ(found.delivery->log_id, "ABCDEFGH");
  EXPECT_TRUE(found.delivery->sent_with_ssl);
  EXPECT_EQ(found.delivery->timestamp, sent(1).delivery->timestamp);
  EXPECT_EQ(found.queue, store::QueueChange::Done);
  EXPECT_EQ(found.retry_at, std::nullopt);
  EXPECT_EQ(found.prepend_headers, "X-Postal-MsgID: abc\r\n");
  EXPECT_EQ(found.tag, "news");
  EXPECT_EQ(found.unsuppress_address, "b@x.test");
}

TEST_F(JournalTest, KnowsWhatIsInDoubt) {
  in_a_process_that_dies([](Journal& journal) { journal.sending(message(5)); });
  auto journal = open();
  ASSERT_EQ(journal->left().in_doubt.size(), 1U);
  const auto& found = journal->left().in_doubt.front();
  EXPECT_EQ(found.server_id, 7);
  EXPECT_EQ(found.message_id, 5);
  EXPECT_EQ(found.queue_id, 105);
  EXPECT_EQ(found.endpoint, "1.2.3.4:25 (mx.test)");
  EXPECT_EQ(found.at, message(5).at);
  EXPECT_EQ(found.lease, "posthaste a 1");
}

TEST_F(JournalTest, KeepsWhatItFoundUntilItIsForgotten) {
  in_a_process_that_dies([](Journal& journal) { journal.sending(message(5)); });
  EXPECT_EQ(open()->left().in_doubt.size(), 1U);  // a start that could not settle it
  open()->forget_left();
  EXPECT_TRUE(open()->left().in_doubt.empty());
}

TEST_F(JournalTest, ReadsUpToARecordThatIsTorn) {
  in_a_process_that_dies([](Journal& journal) {
    journal.sending(message(1));
    journal.sending(message(2));
  });
  const auto file = only_file();
  const auto whole = fs::file_size(file);  // two records of the same length
  for (auto size = whole - 1; size > whole / 2; --size) {
    fs::resize_file(file, size);
    auto journal = open();
    ASSERT_EQ(journal->left().in_doubt.size(), 1U) << size;
    EXPECT_EQ(journal->left().in_doubt.front().message_id, 1);
    EXPECT_TRUE(journal->left().torn);
  }
}

TEST_F(JournalTest, StopsAtADamagedRecord) {
  in_a_process_that_dies([](Journal& journal) {
    journal.sending(message(1));
    journal.sending(message(2));
  });
  std::fstream file(only_file(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-3, std::ios::end);
  file.put('\x7f');
  file.close();
  EXPECT_EQ(open()->left().in_doubt.size(), 1U);
}

TEST_F(JournalTest, LeavesFilesOfLivingProcessesAlone) {
  auto first = open();
  first->sending(message(1));
  auto second = open();
  EXPECT_TRUE(second->left().in_doubt.empty());
  EXPECT_EQ(first->open_attempts(), 1U);
}

TEST_F(JournalTest, DoesNotGrowWhenAllIsSettled) {
  auto journal = open();
  for (int i = 0; i < 2000; ++i) {
    const auto ticket = journal->sending(message(i));
    journal->outcome(ticket, sent(i));
    journal->settled(ticket);
  }
  EXPECT_LT(fs::file_size(only_file()), 128U * 1024);
}

TEST_F(JournalTest, TurnsToANewFileWhileOneAttemptStaysOpen) {
  auto journal = open();
  const auto slow = journal->sending(message(0));
  auto large = sent(1);
  large.prepend_headers.assign(100'000, 'x');
  for (int i = 0; i < 400; ++i) {
    const auto ticket = journal->sending(message(1));
    journal->outcome(ticket, large);
    journal->settled(ticket);
  }
  const auto files = [&] { return std::distance(fs::directory_iterator(folder_), fs::directory_iterator()); };
  EXPECT_EQ(files(), 2);
  journal->settled(slow);
  EXPECT_EQ(files(), 1);
}

TEST(JournalRecords, SurviveAnyBytes) {
  std::string noise(5000, '\0');
  for (int round = 0; round < 200; ++round) {
    for (auto& c : noise) c = char(random_below(256));
    const auto found = decode_journal(noise);
    EXPECT_TRUE(found.known.empty());
  }
}

}  // namespace
}  // namespace posthaste::delivery
