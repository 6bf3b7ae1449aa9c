// What conclusions record beside their delivery, on both engines.
#include <gtest/gtest.h>

#include <future>

#include "store/testing_store.h"

namespace posthaste::store {
namespace {

using namespace std::chrono_literals;
using testing::accept;
using testing::conclude;
using testing::concluded;
using testing::fresh_installation;
using testing::Installation;
using testing::submission;

constexpr Id kServer = Installation::kServer;

class FindingsTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  FindingsTest() : store_(world_.open()), stored_(accept(*store_, submission(kServer, 2), true).value()) {}
  ~FindingsTest() override { store_->close(); }

  Id first_id() const { return stored_.messages.at(0).message_id; }
  Id second_id() const { return stored_.messages.at(1).message_id; }
  QueuedMessage first() const {
    QueuedMessage message;
    message.server_id = kServer;
    message.message_id = first_id();
    message.queue_id = stored_.messages.at(0).queue_id;
    return message;
  }
  std::string requests() const { return world_.sqlite() ? "`queued_webhook_requests`" : "{queue}`webhook_requests`"; }
  Result<> write(Write write) {
    std::promise<Result<>> answer;
    store_->write(std::move(write), [&](Result<> result) { answer.set_value(std::move(result)); });
    return answer.get_future().get();
  }

  Installation& world_ = fresh_installation(GetParam());
  std::unique_ptr<Store> store_;
  Stored stored_;
};

TEST_P(FindingsTest, AnInspectionIsKeptWithItsChecks) {
  auto conclusion = concluded(first(), "Processed");
  conclusion.inspection = Inspection{.spam = true, .threat = true, .score = 6.125, .threat_details = "Eicar"};
  conclusion.inspection->checks = {{"BAYES_99", std::string(400, 'x'), 5.5}, {"SHORT", "", 0.625}};
  ASSERT_TRUE(conclude(*store_, std::move(conclusion)));
  const auto message = store_->message(kServer, first_id());
  EXPECT_TRUE(message->inspected);
  EXPECT_TRUE(message->spam);
  EXPECT_TRUE(message->threat);
  EXPECT_NEAR(message->spam_score, 6.13, 0.011);
  EXPECT_EQ(message->threat_details, "Eicar");
  EXPECT_EQ(world_.number(kServer, "SELECT COUNT(*) FROM {message}`spam_checks`"), 2);
  EXPECT_EQ(world_.text(kServer, "SELECT description FROM {message}`spam_checks` WHERE code = 'BAYES_99'").size(),
            255U);
}

TEST_P(FindingsTest, TheOriginalOfABounceIsMarkedOnce) {
  for (int i = 0; i < 2; ++i) {
    auto conclusion = concluded(first(), "Processed");
    conclusion.bounce_for_id = second_id();
    OtherDelivery& other = conclusion.others.emplace_back();
    other.message_id = second_id();
    other.delivery.status = "Bounced";
    other.delivery.details = "We've received a bounce message for this e-mail. See <msg:1> for details.";
    other.delivery.timestamp = system_now();
    conclude(*store_, std::move(conclusion));
  }
  EXPECT_EQ(store_->message(kServer, second_id())->status, "Bounced");
  EXPECT_EQ(store_->message(kServer, first_id())->bounce_for_id, second_id());
  EXPECT_EQ(store_->deliveries(kServer, second_id()).size(), 1U);
}

TEST_P(FindingsTest, RequestsAreWrittenWithTheOutcome) {
  auto conclusion = concluded(first(), "Sent");
  conclusion.requests = {{7, "https://hook.test/", "MessageSent", "u-1", R"({"status":"Sent"})"},
                         {8, "https://hook.test/", "MessageSent", "u-2", R"({"status":"Sent"})"}};
  ASSERT_TRUE(conclude(*store_, std::move(conclusion)));
  EXPECT_EQ(world_.number(kServer, "SELECT COUNT(*) FROM " + requests() + " WHERE attempts = 0 AND locked_at IS NULL"),
            2);
  EXPECT_EQ(world_.text(kServer, "SELECT uuid FROM " + requests() + " WHERE webhook_id = 8"), "u-2");
}

TEST_P(FindingsTest, AWriteJoinsTheWritersTransactions) {
  Write good{.server_id = kServer};
  good.messages = [](sql::Connection& connection, const sql::Names& names) {
    connection.run(sql::bind_names("UPDATE {message}`messages` SET tag = 'written'", names));
  };
  EXPECT_TRUE(write(std::move(good)));
  EXPECT_EQ(store_->message(kServer, first_id())->tag, "written");

  Write bad{.server_id = kServer};
  bad.messages = [](sql::Connection& connection, const sql::Names& names) {
    connection.run(sql::bind_names("UPDATE {message}`messages` SET tag = 'lost'", names));
    throw sql::Failure(sql::FailureKind::Data, "too long");
  };
  EXPECT_FALSE(write(std::move(bad)));
  EXPECT_EQ(store_->message(kServer, first_id())->tag, "written");
}

TEST_P(FindingsTest, TheDirectoryKnowsEndpointsHooksAndTrackingDomains) {
  store_->change([&](sql::Connection& connection) {
    const auto run = [&](std::string_view sql, std::initializer_list<sql::Value> values = {}) {
      connection.run(store_->main(sql), values);
    };
    const sql::DateTime now{system_now()};
    run("INSERT INTO {main}`http_endpoints` (id, server_id, uuid, name, url) VALUES (3, 1, 'u', 'hook', 'http://x/')");
    for (const Id endpoint : {3, 4})
      run("INSERT INTO {main}`additional_route_endpoints` (route_id, endpoint_type, endpoint_id, created_at, "
          "updated_at) VALUES (1, 'HTTPEndpoint', ?, ?, ?)",
          {endpoint, now, now});
    run("INSERT INTO {main}`webhooks` (id, server_id, name, url, all_events, enabled) VALUES (1, 1, 'all', "
        "'http://a/', 1, 1), (2, 1, 'one', 'http://b/', 0, 1), (3, 1, 'off', 'http://c/', 1, 0)");
    run("INSERT INTO {main}`webhook_events` (webhook_id, event) VALUES (2, 'MessageSent')");
  });
  const auto directory = store_->directory();
  EXPECT_EQ(directory->http_endpoint(3)->timeout, 5);
  EXPECT_TRUE(directory->http_endpoint(3)->include_attachments);
  EXPECT_EQ(directory->additional_endpoints(1).size(), 1U);
  EXPECT_EQ(directory->webhooks(kServer, "MessageSent").size(), 2U);
  EXPECT_EQ(directory->webhooks(kServer, "MessageHeld").size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Engines, FindingsTest, ::testing::Values(sql::Dialect::Sqlite, sql::Dialect::MariaDb),
                         [](const auto& engine) {
                           return engine.param == sql::Dialect::Sqlite ? "SQLite" : "MariaDB";
                         });

}  // namespace
}  // namespace posthaste::store
