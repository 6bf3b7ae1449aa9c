// Requests that wait for webhooks: claimed, concluded and found again, on both engines.
#include "store/webhook_queue.h"

#include <gtest/gtest.h>

#include <future>

#include "store/testing_store.h"
#include "store/webhook_rows.h"

namespace posthaste::store {

namespace {

using testing::Installation;

class WebhookQueueTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  WebhookQueueTest() : installation(testing::fresh_installation(GetParam())), store(installation.open()) {}

  static Result<> wait(const std::function<void(ConcludeDone)>& work) {
    std::promise<Result<>> done;
    auto result = done.get_future();
    work([&](Result<> r) { done.set_value(std::move(r)); });
    return result.get();
  }
  // As an event does it.
  void write_some(int count, Id webhook_id = 5) {
    std::vector<NewWebhookRequest> requests;
    for (int i = 0; i < count; ++i)
      requests.push_back(
          {webhook_id, "http://hook.example/", "MessageSent", "uuid-" + std::to_string(i), R"({"a":1})"});
    Write write;
    write.server_id = Installation::kServer;
    write.queue = [&](sql::Connection& connection, const sql::Names& names) {
      write_requests(connection, names, Installation::kServer, kAt, requests);
    };
    ASSERT_TRUE(wait([&](ConcludeDone done) { store->write(write, std::move(done)); }));
  }
  std::int64_t waiting(const std::string& where) {
    const std::string table = installation.sqlite() ? "queued_webhook_requests" : "webhook_requests";
    const std::string sql = "SELECT COUNT(*) FROM {}`" + table + "` WHERE " + where;
    return installation.sqlite() ? installation.number(1, replaced(sql, "{message}"))
                                 : installation.main_number(replaced(sql, "{main}"));
  }
  static std::string replaced(std::string sql, const std::string& prefix) {
    return sql.replace(sql.find("{}"), 2, prefix);
  }
  WebhookQueue& queue() { return *store->webhook_queue(); }
  WebhookAttempt attempt(WebhookRequest request, int code) {
    WebhookAttempt a;
    a.request = std::move(request);
    a.at = kAt;
    a.url = "http://hook.example/";
    a.payload = R"({"a":1})";
    a.code = code;
    a.body = "OK";
    a.success = code == 200;
    return a;
  }
  Result<> record(WebhookAttempt a) {
    return wait([&](ConcludeDone done) { queue().record(std::move(a), std::move(done)); });
  }

  const Time kAt = from_unix_micros(1700000000123456);
  Installation& installation;
  std::unique_ptr<Store> store;
};

TEST_P(WebhookQueueTest, ClaimsWhatWasWrittenOnceAndTellsOfIt) {
  int told = 0;
  queue().on_due([&] { ++told; });
  write_some(3);
  EXPECT_GE(told, 1);
  queue().on_due({});
  const auto rows = queue().claim(2, {});
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].uuid, "uuid-0");
  EXPECT_EQ(rows[0].event, "MessageSent");
  EXPECT_EQ(rows[0].webhook_id, 5);
  EXPECT_EQ(rows[0].payload, R"({"a":1})");
  EXPECT_EQ(rows[0].created_at, kAt) << "to the microsecond: it is in the body";
  EXPECT_EQ(queue().claim(10, {}).size(), 1u);
  EXPECT_TRUE(queue().claim(10, {}).empty());
}

TEST_P(WebhookQueueTest, PassesOverWebhooksThatHaveEnough) {
  write_some(2);
  EXPECT_TRUE(queue().claim(10, {5}).empty());
  EXPECT_EQ(waiting("locked_by IS NULL"), 2);
}

TEST_P(WebhookQueueTest, ASuccessLeavesHistoryAndNothingElse) {
  write_some(1);
  ASSERT_TRUE(record(attempt(queue().claim(1, {}).at(0), 200)));
  EXPECT_EQ(waiting("1 = 1"), 0);
  EXPECT_EQ(installation.number(1,
                                "SELECT COUNT(*) FROM {message}`webhook_requests` WHERE uuid = 'uuid-0' AND attempt "
                                "= 1 AND status_code = 200 AND will_retry = 0 AND webhook_id = 5 AND body = 'OK'"),
            1);
}

TEST_P(WebhookQueueTest, AFailureWaitsForItsTime) {
  write_some(1);
  auto failed = attempt(queue().claim(1, {}).at(0), 500);
  failed.body = "\xff" + std::string(70'000, 'x');
  failed.retry_at = system_now() + 1h;
  ASSERT_TRUE(record(failed));
  EXPECT_EQ(waiting("attempts = 1 AND locked_by IS NULL AND error = 'Couldn''t send to URL. Code received was 500'"),
            1);
  EXPECT_EQ(installation.number(1, "SELECT will_retry FROM {message}`webhook_requests`"), 1);
  EXPECT_TRUE(queue().claim(1, {}).empty());
  EXPECT_EQ(queue().make_all_due(), 1u);
  const auto again = queue().claim(1, {});
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].attempts, 1);
}

TEST_P(WebhookQueueTest, RowsComeBackAtTheEndAndAfterACrash) {
  write_some(2);
  ASSERT_EQ(queue().claim(2, {}).size(), 2u);
  EXPECT_EQ(queue().release_all(), 2u);
  ASSERT_EQ(queue().claim(2, {}).size(), 2u);
  store.reset();  // without release_all()
  EXPECT_EQ(waiting("locked_by IS NOT NULL"), 2);
  store = installation.open();
  (void)store->reclaim();
  EXPECT_EQ(queue().claim(2, {}).size(), 2u);
}

TEST_P(WebhookQueueTest, GivesBackAndRemoves) {
  write_some(2);
  auto rows = queue().claim(2, {});
  queue().give_back({rows[0]});
  queue().remove({rows[1]});
  EXPECT_EQ(waiting("locked_by IS NULL AND attempts = 0"), 1);
  EXPECT_EQ(waiting("1 = 1"), 1);
}

TEST_P(WebhookQueueTest, ALockThatAPostalLeftBehindEnds) {
  write_some(1);
  const std::string table = installation.sqlite() ? "{message}`queued_webhook_requests`" : "{main}`webhook_requests`";
  const std::string long_ago = installation.sqlite() ? "1" : "'2023-01-01 00:00:00'";
  const std::string update = "UPDATE " + table + " SET locked_by = 'host:123:abc', locked_at = " + long_ago;
  installation.sqlite() ? installation.run(1, update) : installation.run_main(update);
  EXPECT_TRUE(queue().claim(1, {}).empty());
  (void)store->reclaim();
  EXPECT_EQ(queue().claim(1, {}).size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Engines, WebhookQueueTest, ::testing::Values(sql::Dialect::Sqlite, sql::Dialect::MariaDb),
                         [](const auto& engine) {
                           return engine.param == sql::Dialect::Sqlite ? "Sqlite" : "MariaDb";
                         });

}  // namespace

}  // namespace posthaste::store
