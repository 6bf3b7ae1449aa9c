// The acceptance cases of data-model.md about raw storage and statistics; store_test.cpp has messages and queue.
#include <gtest/gtest.h>

#include "store/testing_store.h"

namespace posthaste::store {
namespace {

using testing::accept;
using testing::Installation;
using testing::submission;

constexpr Id kServer = Installation::kServer;

Time at(std::int64_t unix_seconds) { return from_unix_micros(unix_seconds * 1'000'000); }

class StoreAcceptance : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  // What the two rows of a message hold, NULL as `-`, and what is read back.
  struct Rows {
    std::string header, body, whole;
    std::int64_t size = 0;
  };
  Rows stored(const std::string& bytes) {
    const auto store = world_.open();
    const std::int64_t before =
        world_.number(kServer, "SELECT COALESCE(SUM(size), 0) FROM {message}`raw_message_sizes`");
    Submission given = submission();
    given.raw = RawMessage(bytes);
    const auto answer = accept(*store, given);
    if (!answer) throw std::runtime_error(answer.error().text);
    const auto message = store->message(kServer, answer->messages.at(0).message_id);
    const auto data = [&](std::optional<Id> id) {
      if (!id) return std::string("-");
      const std::string from = fmt::format("FROM {{message}}`{}` WHERE id = {}", message->raw_table, *id);
      if (world_.number(kServer, "SELECT data IS NULL " + from)) return std::string("-");
      return world_.text(kServer, "SELECT data " + from);
    };
    EXPECT_EQ(world_.number(kServer, "SELECT SUM(size) FROM {message}`raw_message_sizes`") - before,
              std::int64_t(bytes.size()));
    return {data(message->raw_headers_id), data(message->raw_body_id),
            std::string(store->raw(kServer, *message)->bytes()), message->size.value_or(-1)};
  }

  Installation& world_ = testing::fresh_installation(GetParam());
};

TEST_P(StoreAcceptance, HeaderAndBodyAreTwoRows) {  // 33
  const std::string bytes = "A: b\r\nC: d\r\n\r\nbody\r\n\r\nmore";
  const Rows rows = stored(bytes);
  EXPECT_EQ(rows.header, "A: b\r\nC: d");
  EXPECT_EQ(rows.body, "body\r\n\r\nmore");
  EXPECT_EQ(rows.whole, bytes);
  EXPECT_EQ(rows.size, std::int64_t(bytes.size()));
}

TEST_P(StoreAcceptance, AMessageWithoutABlankLineIsAllHeader) {  // 34
  const Rows rows = stored("A: b\r\nC: d");
  EXPECT_EQ(rows.header, "A: b\r\nC: d");
  EXPECT_EQ(rows.body, "-");
  EXPECT_EQ(rows.whole, "A: b\r\nC: d\r\n\r\n");
}

TEST_P(StoreAcceptance, AnEmptyMessageIsTwoNulls) {  // 34
  const Rows rows = stored("");
  EXPECT_EQ(rows.header, "-");
  EXPECT_EQ(rows.body, "-");
  EXPECT_EQ(rows.whole, "\r\n\r\n");
}

TEST_P(StoreAcceptance, LineFeedsAreSplitToo) {  // 34
  const Rows rows = stored("A: b\nC: d\n\nbody\n");
  EXPECT_EQ(rows.header, "A: b\nC: d");
  EXPECT_EQ(rows.body, "body\n");
  EXPECT_EQ(rows.whole, "A: b\nC: d\r\n\r\nbody\n");
}

TEST_P(StoreAcceptance, AMessageCountsInItsOwnHourDayMonthAndYear) {  // 56
  {
    const auto store = world_.open();
    for (const std::int64_t second : {1735689599, 1735689600}) {
      Submission given = submission();
      given.timestamp = at(second);
      ASSERT_TRUE(accept(*store, given));
    }
  }
  const std::pair<const char*, std::int64_t> tables[] = {{"stats_hourly", 1735686000},
                                                         {"stats_daily", 1735603200},
                                                         {"stats_monthly", 1733011200},
                                                         {"stats_yearly", 1704067200}};
  for (const auto& [table, last_of_2024] : tables)
    for (const std::int64_t time : {last_of_2024, std::int64_t(1735689600)})
      EXPECT_EQ(
          world_.number(kServer, fmt::format("SELECT outgoing FROM {{message}}`{}` WHERE time = {}", table, time)), 1)
          << table << " " << time;
}

TEST_P(StoreAcceptance, MinutesOfTheLastHourAreARing) {  // 58
  const Time start = std::chrono::floor<std::chrono::hours>(system_now()) - 2h + 34min + 10s;
  const auto count_at = [&](Time when) {
    const auto store = world_.open();
    store->count_sent(kServer, when);
    EXPECT_GE(store->sent_last_hour(kServer, when), 1);
    store->close();
  };
  count_at(start);
  count_at(start + 59min);
  EXPECT_EQ(world_.open()->sent_last_hour(kServer, start + 59min), 2);
  const std::string minute_34 = "SELECT count FROM {message}`live_stats` WHERE minute = 34 AND type = 'outgoing'";
  EXPECT_EQ(world_.number(kServer, minute_34), 1);
  count_at(start + 60min);
  EXPECT_EQ(world_.number(kServer, minute_34), 1);  // begins anew
  EXPECT_EQ(world_.open()->sent_last_hour(kServer, start + 60min), 2);
}

TEST_P(StoreAcceptance, CountingUsesUpNoIds) {  // 59
  const auto next_id = [&](int time) {
    world_.run(kServer, fmt::format("INSERT INTO {{message}}`stats_hourly` (time) VALUES ({})", time));
    return world_.number(kServer, fmt::format("SELECT id FROM {{message}}`stats_hourly` WHERE time = {}", time));
  };
  const auto before = next_id(1);
  {
    const auto store = world_.open();
    for (int i = 0; i < 150; ++i) ASSERT_TRUE(accept(*store, submission(kServer, 2)));
  }
  EXPECT_EQ(world_.number(kServer, "SELECT SUM(outgoing) FROM {message}`stats_hourly`"), 300);
  EXPECT_LT(next_id(2) - before, 50);
}

INSTANTIATE_TEST_SUITE_P(Engines, StoreAcceptance, ::testing::Values(sql::Dialect::Sqlite, sql::Dialect::MariaDb),
                         [](const auto& info) { return info.param == sql::Dialect::Sqlite ? "Sqlite" : "MariaDb"; });

}  // namespace
}  // namespace posthaste::store
