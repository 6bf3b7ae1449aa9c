// The way of a message through the store, on both engines.
#include "store/store.h"

#include <gtest/gtest.h>

#include <future>

#include "store/testing_store.h"

namespace posthaste::store {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::accept;
using testing::conclude;
using testing::concluded;
using testing::Installation;
using testing::submission;

constexpr Id kServer = Installation::kServer;

class StoreTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  Installation& world_ = testing::fresh_installation(GetParam());
};

TEST_P(StoreTest, WhatIsAcceptedIsClaimedConcludedAndRead) {
  const auto store = world_.open();
  const Submission given = submission();
  const auto stored = accept(*store, given);
  ASSERT_TRUE(stored) << stored.error().text << stored.error().cause;
  ASSERT_EQ(stored->messages.size(), 1u);

  const auto claimed = store->claim(10, {});
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_EQ(claimed[0].queue_id, stored->messages[0].queue_id);
  EXPECT_EQ(claimed[0].message_id, stored->messages[0].message_id);
  EXPECT_EQ(claimed[0].domain, "Receiver.example");
  EXPECT_TRUE(store->claim(10, {}).empty());

  const auto message = store->message(kServer, claimed[0].message_id);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->token, given.messages[0].token);
  EXPECT_EQ(message->status, "Pending");
  EXPECT_EQ(message->timestamp, given.timestamp);
  EXPECT_EQ(message->size, std::int64_t(given.raw.size()));
  EXPECT_EQ(store->message_by_token(kServer, given.messages[0].token)->id, message->id);
  const auto raw = store->raw(kServer, *message);
  ASSERT_TRUE(raw);
  EXPECT_EQ(raw->bytes(), given.raw.bytes());

  Conclusion conclusion = concluded(claimed[0], "Sent");
  conclusion.delivery->details = "Message for user0 accepted by mx.receiver.example";
  conclusion.delivery->output = "250 OK\n";
  conclusion.delivery->code = 250;
  conclusion.delivery->seconds = 0.126;
  ASSERT_TRUE(conclude(*store, conclusion));
  EXPECT_EQ(store->message(kServer, message->id)->status, "Sent");
  EXPECT_EQ(store->message(kServer, message->id)->last_delivery_attempt, conclusion.delivery->timestamp);
  const auto deliveries = store->deliveries(kServer, message->id);
  ASSERT_EQ(deliveries.size(), 1u);
  EXPECT_EQ(deliveries[0].code, 250);
  EXPECT_EQ(deliveries[0].output, "250 OK\n");
  EXPECT_DOUBLE_EQ(*deliveries[0].seconds, 0.13);
  EXPECT_TRUE(store->queue({}).empty());
  EXPECT_FALSE(store->next_due());
}

TEST_P(StoreTest, TwoHundredSubmissionsAtOnceAreAllStoredOnce) {
  const auto store = world_.open();
  std::vector<std::future<Result<Stored>>> answers;
  for (int i = 0; i < 200; ++i) {
    auto answer = std::make_shared<std::promise<Result<Stored>>>();
    answers.push_back(answer->get_future());
    store->accept(submission(), false, [answer](Result<Stored> result) { answer->set_value(std::move(result)); });
  }
  std::set<Id> queue_ids, message_ids;
  for (auto& answer : answers) {
    const auto stored = answer.get();
    ASSERT_TRUE(stored) << stored.error().text;
    queue_ids.insert(stored->messages.at(0).queue_id);
    message_ids.insert(stored->messages.at(0).message_id);
  }
  EXPECT_EQ(queue_ids.size(), 200u);
  EXPECT_EQ(message_ids.size(), 200u);
  EXPECT_EQ(world_.number(kServer, "SELECT COUNT(*) FROM {message}`messages`"), 200);
  EXPECT_EQ(world_.number(kServer, "SELECT COUNT(*) FROM {queue}`queued_messages` WHERE locked_by IS NULL"), 200);
}

TEST_P(StoreTest, RecipientsOfOneSubmissionShareItsBytes) {
  const auto store = world_.open();
  const Submission given = submission(kServer, 3);
  const auto stored = accept(*store, given);
  ASSERT_TRUE(stored);
  std::set<std::optional<Id>> headers, bodies;
  for (const auto& m : stored->messages) {
    const auto message = store->message(kServer, m.message_id);
    headers.insert(message->raw_headers_id);
    bodies.insert(message->raw_body_id);
    EXPECT_EQ(store->raw(kServer, *message)->bytes(), given.raw.bytes());
  }
  EXPECT_EQ(headers.size(), 1u);
  EXPECT_EQ(bodies.size(), 1u);
  EXPECT_EQ(world_.number(kServer, "SELECT size FROM {message}`raw_message_sizes`"), std::int64_t(given.raw.size()));
}

TEST_P(StoreTest, BesidePostalEveryMessageHasItsOwnBytes) {
  world_.config.posthaste.coexist_with_postal = true;
  const auto store = world_.open();
  const auto stored = accept(*store, submission(kServer, 2));
  ASSERT_TRUE(stored);
  const auto first = store->message(kServer, stored->messages[0].message_id);
  const auto second = store->message(kServer, stored->messages[1].message_id);
  EXPECT_NE(first->raw_headers_id, second->raw_headers_id);
  EXPECT_NE(first->raw_body_id, second->raw_body_id);

  const auto claimed = store->claim(10, {});
  Conclusion conclusion = concluded(claimed.at(0), "Sent");
  conclusion.prepend_headers = "X-Postal-MsgID: abc\r\n";
  ASSERT_TRUE(conclude(*store, conclusion));
  EXPECT_EQ(store->message(kServer, first->id)->raw_headers_id, first->raw_headers_id);
  EXPECT_TRUE(store->raw(kServer, *first)->bytes().starts_with("X-Postal-MsgID: abc\r\nFrom: "));
}

TEST_P(StoreTest, SignedHeadersGoToOneMessageAndNotToThoseThatShareItsBytes) {
  const auto store = world_.open();
  const Submission given = submission(kServer, 2);
  ASSERT_TRUE(accept(*store, given));
  const auto claimed = store->claim(10, {});
  ASSERT_EQ(claimed.size(), 2u);
  Conclusion conclusion = concluded(claimed[0], "SoftFail", QueueChange::Retry);
  conclusion.retry_at = system_now() + 5min;
  conclusion.prepend_headers = "DKIM-Signature: v=1\r\nX-Postal-MsgID: abc\r\n";
  conclusion.parsed = true;
  conclusion.tag = "news";
  ASSERT_TRUE(conclude(*store, conclusion));

  const auto first = store->message(kServer, claimed[0].message_id);
  const auto second = store->message(kServer, claimed[1].message_id);
  EXPECT_EQ(store->raw(kServer, *first)->bytes(),
            "DKIM-Signature: v=1\r\nX-Postal-MsgID: abc\r\n" + std::string(given.raw.bytes()));
  EXPECT_EQ(store->raw(kServer, *second)->bytes(), given.raw.bytes());
  EXPECT_TRUE(first->parsed);
  EXPECT_EQ(first->tag, "news");
  EXPECT_FALSE(second->parsed);
  EXPECT_EQ(second->tag, "");
}

TEST_P(StoreTest, ARetryWaitsAndCountsTheAttempt) {
  const auto store = world_.open();
  ASSERT_TRUE(accept(*store, submission()));
  auto claimed = store->claim(1, {});
  Conclusion conclusion = concluded(claimed.at(0), "SoftFail", QueueChange::Retry);
  const Time due = std::chrono::floor<std::chrono::seconds>(system_now()) + 300s + 200ms;
  conclusion.retry_at = due;
  ASSERT_TRUE(conclude(*store, conclusion));

  const auto entries = store->queue({});
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].attempts, 1);
  EXPECT_FALSE(entries[0].locked);
  EXPECT_EQ(entries[0].retry_after, Time(std::chrono::floor<std::chrono::seconds>(due) + 1s));
  EXPECT_EQ(store->message(kServer, claimed[0].message_id)->status, "SoftFail");
  EXPECT_TRUE(store->claim(1, {}).empty());
  EXPECT_GT(store->next_due().value_or(Time{}), system_now() + 290s);

  EXPECT_EQ(store->queue_retry_now({}), 1u);
  claimed = store->claim(1, {});
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_EQ(claimed[0].attempts, 1);
}

TEST_P(StoreTest, AHeldMessageIsReleasedByHandOnce) {
  const auto store = world_.open();
  ASSERT_TRUE(accept(*store, submission()));
  const auto claimed = store->claim(1, {});
  Conclusion conclusion = concluded(claimed.at(0), "Held");
  conclusion.hold_expiry = conclusion.delivery->timestamp + 168h;
  ASSERT_TRUE(conclude(*store, conclusion));
  const Id id = claimed[0].message_id;
  EXPECT_TRUE(store->message(kServer, id)->held);
  EXPECT_EQ(store->message(kServer, id)->hold_expiry, conclusion.hold_expiry);
  EXPECT_EQ(store->queue_numbers().held, 1);

  EXPECT_EQ(store->requeue(kServer, id), Store::Requeued::Released);
  EXPECT_FALSE(store->message(kServer, id)->held);
  EXPECT_EQ(store->message(kServer, id)->status, "Pending");
  EXPECT_EQ(store->requeue(kServer, id), Store::Requeued::WasQueued);
  const auto again = store->claim(10, {});
  ASSERT_EQ(again.size(), 1u);
  EXPECT_TRUE(again[0].manual);
  EXPECT_EQ(again[0].domain, "Receiver.example");
  EXPECT_EQ(store->requeue(kServer, 999).error().kind, ErrorKind::NotFound);
}

TEST_P(StoreTest, SuppressionsComeAndGoWithOutcomes) {
  const auto store = world_.open();
  ASSERT_TRUE(accept(*store, submission(kServer, 3)));
  const auto claimed = store->claim(10, {});
  ASSERT_EQ(claimed.size(), 3u);
  Conclusion failed = concluded(claimed[0], "HardFail");
  failed.suppress_address = "user0@Receiver.example";
  failed.suppress_reason = "too many hard fails";
  ASSERT_TRUE(conclude(*store, failed));
  const Time now = system_now();
  const auto entry = store->suppression(kServer, "USER0@receiver.example", now);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->reason, "too many hard fails");
  EXPECT_EQ(entry->keep_until, failed.delivery->timestamp + std::chrono::days(30));
  EXPECT_FALSE(store->suppression(kServer, "user0@Receiver.example", now + std::chrono::days(31)));
  EXPECT_EQ(store->hard_fails_since(kServer, "user0@receiver.example", now - 24h), 1u);

  Conclusion again = concluded(claimed[1], "HardFail");
  again.suppress_address = "user0@Receiver.example";
  ASSERT_TRUE(conclude(*store, again));
  EXPECT_EQ(world_.number(kServer, "SELECT COUNT(*) FROM {message}`suppressions`"), 1);
  EXPECT_EQ(store->suppression(kServer, "user0@receiver.example", now)->reason, "too many hard fails");

  Conclusion sent = concluded(claimed[2], "Sent");
  sent.unsuppress_address = "user0@Receiver.example";
  ASSERT_TRUE(conclude(*store, sent));
  EXPECT_FALSE(store->suppression(kServer, "user0@receiver.example", now));
}

TEST_P(StoreTest, TextFromTheNetworkIsCleanedAndCut) {
  const auto store = world_.open();
  Submission given = submission();
  given.messages[0].subject = "Caf\xe9 " + std::string(400, 'x');
  given.messages[0].message_id = std::string(600, 'm');
  ASSERT_TRUE(accept(*store, given));
  const auto claimed = store->claim(1, {});
  Conclusion conclusion = concluded(claimed.at(0), "Sent");
  conclusion.delivery->output = "250 gr\xfc\xdf\0e "s + std::string(3000, 'y');
  ASSERT_TRUE(conclude(*store, conclusion));
  const auto message = store->message(kServer, claimed[0].message_id);
  EXPECT_TRUE(message->subject.starts_with("Caf\xef\xbf\xbd x")) << message->subject;
  EXPECT_EQ(message->message_id.size(), 255u);
  const auto output = store->deliveries(kServer, claimed[0].message_id).at(0).output;
  EXPECT_TRUE(
      output.starts_with("250 gr\xef\xbf\xbd\xef\xbf\xbd"
                         "e y"))
      << output;
  EXPECT_EQ(output.size(), 250u + 4);
}

TEST_P(StoreTest, CountersFollowTheMessages) {
  {
    const auto store = world_.open();
    ASSERT_TRUE(accept(*store, submission(kServer, 3)));
    Submission incoming = submission(kServer, 1);
    incoming.messages[0].scope = Scope::Incoming;
    ASSERT_TRUE(accept(*store, incoming));
    const auto claimed = store->claim(10, {});
    ASSERT_TRUE(conclude(*store, concluded(claimed.at(0), "Held")));
    ASSERT_TRUE(conclude(*store, concluded(claimed.at(1), "HardFail")));
    ASSERT_TRUE(conclude(*store, concluded(claimed.at(3), "HardFail")));  // incoming: does not count as a bounce
    for (int i = 0; i < 3; ++i) store->count_sent(kServer, system_now());
    EXPECT_EQ(store->sent_last_hour(kServer, system_now()), 3);
    store->close();
  }
  for (const auto* table : {"stats_hourly", "stats_daily", "stats_monthly", "stats_yearly"}) {
    const auto sum = [&](std::string_view column) {
      return world_.number(kServer, fmt::format("SELECT SUM({}) FROM {{message}}`{}`", column, table));
    };
    EXPECT_EQ(sum("outgoing"), 3) << table;
    EXPECT_EQ(sum("incoming"), 1) << table;
    EXPECT_EQ(sum("held"), 1) << table;
    EXPECT_EQ(sum("bounces"), 1) << table;
  }
  EXPECT_EQ(world_.main_number("SELECT total_messages FROM {main}`statistics`"), 4);
  EXPECT_EQ(world_.main_number("SELECT total_outgoing FROM {main}`statistics`"), 3);
  const auto store = world_.open();
  store->count_sent(kServer, system_now());
  EXPECT_EQ(store->sent_last_hour(kServer, system_now()), 4);
}

TEST_P(StoreTest, OneSubmissionThatCannotBeStoredDoesNotTakeOthersWithIt) {
  if (world_.sqlite())
    world_.run(kServer,
               "CREATE TRIGGER refuse BEFORE INSERT ON messages WHEN length(NEW.token) > 255 BEGIN "
               "SELECT RAISE(ABORT, 'too long'); END");
  const auto store = world_.open();
  std::vector<std::future<Result<Stored>>> answers;
  for (int i = 0; i < 20; ++i) {
    Submission s = submission();
    if (i == 7) s.messages[0].token = std::string(300, 't');
    auto answer = std::make_shared<std::promise<Result<Stored>>>();
    answers.push_back(answer->get_future());
    store->accept(std::move(s), false, [answer](Result<Stored> result) { answer->set_value(std::move(result)); });
  }
  for (int i = 0; i < 20; ++i) {
    const auto stored = answers[i].get();
    EXPECT_EQ(stored.has_value(), i != 7) << i;
    EXPECT_TRUE(stored || stored.error().kind == ErrorKind::Invalid) << i;
  }
  EXPECT_EQ(world_.number(kServer, "SELECT COUNT(*) FROM {message}`messages`"), 19);
  EXPECT_EQ(world_.number(kServer, "SELECT COUNT(*) FROM {queue}`queued_messages`"), 19);
  EXPECT_TRUE(store->healthy());
}

TEST_P(StoreTest, SeveralMailServersAreServedAtOnce) {
  world_.add_server(2);
  const auto store = world_.open();
  ASSERT_TRUE(accept(*store, submission(1)));
  ASSERT_TRUE(accept(*store, submission(2)));
  std::set<Id> servers;
  for (const auto& message : store->claim(10, {})) servers.insert(message.server_id);
  EXPECT_EQ(servers, (std::set<Id>{1, 2}));
  EXPECT_EQ(store->queue({}).size(), 2u);
  EXPECT_EQ(store->queue({.server_id = 2}).size(), 1u);
  EXPECT_EQ(store->queue({.domain = "receiver.EXAMPLE"}).size(), 2u);
  EXPECT_EQ(store->queue_delete({}), 0u);  // both are locked
  EXPECT_EQ(store->release_all(), 2u);
  EXPECT_EQ(store->queue_delete({.server_id = 1}), 1u);
  EXPECT_EQ(store->queue({}).size(), 1u);
}

TEST_P(StoreTest, RowsOfAnotherHostsAddressAreLeftAlone) {
  const auto store = world_.open();
  Submission given = submission();
  given.messages[0].ip_address_id = 5;
  ASSERT_TRUE(accept(*store, given));
  EXPECT_TRUE(store->claim(10, {}).empty());
  EXPECT_EQ(store->claim(10, {4, 5}).size(), 1u);
}

TEST_P(StoreTest, TheStateOfTheSendLimitIsInTheServersRow) {  // outbound-delivery.md, cases 35 and 36
  using State = Store::SendLimitState;
  const auto rows = [&](std::string_view condition) {
    return world_.main_number(fmt::format("SELECT COUNT(*) FROM {{main}}`servers` WHERE id = 1 AND {}", condition));
  };
  const std::pair<State, const char*> cases[] = {
      {State::Approaching, "send_limit_approaching_at IS NOT NULL AND send_limit_exceeded_at IS NULL"},
      {State::Exceeded, "send_limit_approaching_at IS NULL AND send_limit_exceeded_at IS NOT NULL"},
      {State::Below, "send_limit_approaching_at IS NULL AND send_limit_exceeded_at IS NULL"}};
  const auto store = world_.open();
  for (const auto& [state, condition] : cases) {
    store->note_send_limit(kServer, state, system_now());
    for (int i = 0; i < 60 && rows(condition) == 0; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(rows(condition), 1) << condition;
  }
}

TEST_P(StoreTest, AfterCloseNothingIsTakenAndEverybodyIsAnswered) {
  const auto store = world_.open();
  ASSERT_TRUE(accept(*store, submission()));
  store->close();
  const auto refused = accept(*store, submission());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Unavailable);
}

INSTANTIATE_TEST_SUITE_P(Engines, StoreTest, ::testing::Values(sql::Dialect::Sqlite, sql::Dialect::MariaDb),
                         [](const auto& info) { return info.param == sql::Dialect::Sqlite ? "Sqlite" : "MariaDb"; });

}  // namespace
}  // namespace posthaste::store
