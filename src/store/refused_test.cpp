// Outcomes that the database refuses as data, on both engines: text beyond a column's character set, as in tables that
// an early Postal made.
#include <gtest/gtest.h>

#include <future>

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
const std::string kEmoji = "\xf0\x9f\x93\xac";

class RefusedTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  RefusedTest() : world_(GetParam()) {
    if (!world_.sqlite()) {
      world_.run(kServer,
                 "ALTER TABLE {message}`deliveries` MODIFY output VARCHAR(512) CHARACTER SET utf8mb3, MODIFY details "
                 "VARCHAR(512) CHARACTER SET utf8mb3");
      return;
    }
    world_.run(kServer,
               "CREATE TRIGGER refuse BEFORE INSERT ON deliveries WHEN instr(COALESCE(NEW.output, '') || "
               "COALESCE(NEW.details, ''), char(128236)) > 0 BEGIN SELECT RAISE(ABORT, 'refused'); END");
  }

  // Nobody can be brought to take this status.
  void refuse_hard_fail() {
    world_.run(kServer, world_.sqlite() ? "CREATE TRIGGER refuse_status BEFORE UPDATE ON messages WHEN NEW.status = "
                                          "'HardFail' BEGIN SELECT RAISE(ABORT, 'refused'); END"
                                        : "ALTER TABLE {message}`messages` MODIFY status VARCHAR(7)");
  }

  Installation world_;
};

TEST_P(RefusedTest, ASentMessageIsRecordedWithoutTheTextThatIsRefused) {
  const auto store = world_.open();
  ASSERT_TRUE(accept(*store, submission()));
  const auto claimed = store->claim(1, {});
  Conclusion sent = concluded(claimed.at(0), "Sent");
  sent.delivery->details = "Accepted " + kEmoji;
  sent.delivery->output = "250 thanks " + kEmoji;
  sent.delivery->code = 250;
  sent.delivery->log_id = "ABCDEFGH";
  sent.prepend_headers = "X-Postal-MsgID: abc\r\n";
  sent.tag = "news";
  ASSERT_TRUE(conclude(*store, sent));
  EXPECT_TRUE(store->queue({}).empty()) << "it would be sent again";
  const auto message = store->message(kServer, claimed[0].message_id);
  EXPECT_EQ(message->status, "Sent");
  EXPECT_EQ(message->tag, "");
  const auto rows = store->deliveries(kServer, claimed[0].message_id);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].status, "Sent");
  EXPECT_EQ(rows[0].details, "Accepted ????");
  EXPECT_EQ(rows[0].log_id, "ABCDEFGH");
  EXPECT_EQ(rows[0].output, "");
}

TEST_P(RefusedTest, OthersOfItsBatchKeepAllTheyHave) {
  const auto store = world_.open();
  ASSERT_TRUE(accept(*store, submission(kServer, 20)));
  const auto claimed = store->claim(20, {});
  std::vector<std::future<Result<>>> answers;
  for (std::size_t i = 0; i < claimed.size(); ++i) {
    Conclusion failed = concluded(claimed[i], "HardFail");
    failed.delivery->output = i == 7 ? "550 " + kEmoji : "550 no";
    auto answer = std::make_shared<std::promise<Result<>>>();
    answers.push_back(answer->get_future());
    store->conclude(std::move(failed), [answer](Result<> result) { answer->set_value(std::move(result)); });
  }
  for (auto& answer : answers) EXPECT_TRUE(answer.get());
  EXPECT_TRUE(store->queue({}).empty());
  EXPECT_EQ(world_.number(kServer, "SELECT COUNT(*) FROM {message}`deliveries` WHERE output = '550 no'"), 19);
  EXPECT_EQ(world_.number(kServer, "SELECT COUNT(*) FROM {message}`messages` WHERE status = 'HardFail'"), 20);
}

TEST_P(RefusedTest, WhatIsRefusedEvenSoIsGivenUpAndStaysInTheQueue) {
  const auto store = world_.open();
  ASSERT_TRUE(accept(*store, submission()));
  refuse_hard_fail();
  const auto claimed = store->claim(1, {});
  const auto refused = conclude(*store, concluded(claimed.at(0), "HardFail"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Invalid);
  EXPECT_EQ(store->queue({}).size(), 1u);
  EXPECT_TRUE(store->deliveries(kServer, claimed[0].message_id).empty());
}

INSTANTIATE_TEST_SUITE_P(Engines, RefusedTest, ::testing::Values(sql::Dialect::Sqlite, sql::Dialect::MariaDb),
                         [](const auto& info) { return info.param == sql::Dialect::Sqlite ? "Sqlite" : "MariaDb"; });

}  // namespace
}  // namespace posthaste::store
