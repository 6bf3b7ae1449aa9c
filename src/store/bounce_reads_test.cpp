// What is recorded and looked up of bounces, on both engines.
#include <gtest/gtest.h>

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

class BounceReadsTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  ~BounceReadsTest() override { store_->close(); }

  QueuedMessage add(NewMessage message) {
    auto parts = submission(kServer, 1);
    message.token = parts.messages.at(0).token;
    parts.messages = {std::move(message)};
    const auto stored = accept(*store_, std::move(parts), true).value();
    QueuedMessage queued;
    queued.server_id = kServer;
    queued.message_id = stored.messages.at(0).message_id;
    queued.queue_id = stored.messages.at(0).queue_id;
    return queued;
  }
  QueuedMessage add_sent(std::string rcpt_to, Scope scope = Scope::Outgoing) {
    NewMessage message;
    message.scope = scope;
    message.rcpt_to = std::move(rcpt_to);
    message.message_id = "one@sender.example";
    return add(std::move(message));
  }

  Installation& world_ = fresh_installation(GetParam());
  std::unique_ptr<Store> store_ = world_.open();
  const Time day_ago_ = system_now() - 24h;
};

TEST_P(BounceReadsTest, AMessageIsFoundByItsMessageIdAndRecipient) {
  add_sent("ann@rcpt.test");
  const auto bob = add_sent("bob@rcpt.test");
  add_sent("bob@rcpt.test", Scope::Incoming);
  const auto found = store_->sent_message(kServer, "one@sender.example", "bob@rcpt.test", day_ago_);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, bob.message_id);
  EXPECT_TRUE(store_->sent_message(kServer, "one@sender.example", "Bob@RCPT.test", day_ago_));
  EXPECT_FALSE(store_->sent_message(kServer, "one@sender.example", "eve@rcpt.test", day_ago_));
  EXPECT_FALSE(store_->sent_message(kServer, "other@sender.example", "bob@rcpt.test", day_ago_));
  EXPECT_FALSE(store_->sent_message(kServer, "one@sender.example", "bob@rcpt.test", system_now() + 1h));
}

TEST_P(BounceReadsTest, ABounceThatWasMadeIsFound) {
  const auto incoming = add_sent("info@sender.example", Scope::Incoming);
  EXPECT_FALSE(store_->bounce_made_for(kServer, incoming.message_id));
  NewMessage bounce;
  bounce.rcpt_to = "ann@rcpt.test";
  bounce.bounce = true;
  bounce.bounce_for_id = incoming.message_id;
  const auto made = add(bounce);
  EXPECT_EQ(store_->bounce_made_for(kServer, incoming.message_id), made.message_id);
  EXPECT_FALSE(store_->bounce_made_for(kServer, made.message_id));
  EXPECT_EQ(store_->bounces_made_since(kServer, "ann@rcpt.test", day_ago_), 1U);
  EXPECT_EQ(store_->bounces_made_since(kServer, "bob@rcpt.test", day_ago_), 0U);
  EXPECT_EQ(store_->bounces_made_since(kServer, "ann@rcpt.test", system_now() + 1h), 0U);
}

TEST_P(BounceReadsTest, AnIncomingBounceIsNotOneThatWasMade) {
  NewMessage report;
  report.scope = Scope::Incoming;
  report.bounce = true;
  report.bounce_for_id = 1;
  add(report);
  EXPECT_FALSE(store_->bounce_made_for(kServer, 1));
}

TEST_P(BounceReadsTest, TheSameReportOfAnotherBounceIsKnown) {
  const auto original = add_sent("ann@rcpt.test"), first = add_sent("x@sender.example", Scope::Incoming);
  const BounceReport report{.original_id = original.message_id,
                            .type = "hard",
                            .action = "failed",
                            .status = "5.1.1",
                            .recipient = "ann@rcpt.test",
                            .diagnostic = std::string(600, 'x'),
                            .remote_mta = "mx.rcpt.test",
                            .match = "verp",
                            .reported_at = system_now()};
  for (int i = 0; i < 2; ++i) {  // a COMMIT whose answer was lost is done again
    auto conclusion = concluded(first, "Processed");
    conclusion.reports = {report};
    conclude(*store_, std::move(conclusion));
  }
  EXPECT_EQ(world_.number(kServer, "SELECT COUNT(*) FROM {message}`posthaste_bounces`"), 1);
  EXPECT_EQ(world_.text(kServer, "SELECT matched_by FROM {message}`posthaste_bounces`"), "verp");
  EXPECT_FALSE(store_->reported_since(kServer, first.message_id, report, day_ago_)) << "its own does not count";
  EXPECT_TRUE(store_->reported_since(kServer, first.message_id + 1, report, day_ago_));
  EXPECT_FALSE(store_->reported_since(kServer, first.message_id + 1, report, system_now() + 1h));
  BounceReport other = report;
  other.type = "soft";
  EXPECT_FALSE(store_->reported_since(kServer, first.message_id + 1, other, day_ago_));
}

TEST_P(BounceReadsTest, ANoteLeavesTheStatusAlone) {
  const auto original = add_sent("ann@rcpt.test"), notice = add_sent("x@sender.example", Scope::Incoming);
  auto conclusion = concluded(notice, "Processed");
  OtherDelivery& other = conclusion.others.emplace_back();
  other.message_id = original.message_id;
  other.note = true;
  other.delivery.status = "Processed";
  other.delivery.details = "We've received a delay notice for this e-mail.";
  other.delivery.timestamp = system_now();
  ASSERT_TRUE(conclude(*store_, std::move(conclusion)));
  EXPECT_EQ(store_->message(kServer, original.message_id)->status, "Pending");
  EXPECT_EQ(store_->deliveries(kServer, original.message_id).size(), 1U);
}

TEST_P(BounceReadsTest, AForwardedMessageThatBouncedDoesNotCountAgainstItsServer) {
  const auto forwarded = add_sent("info@sender.example", Scope::Incoming), sent = add_sent("ann@rcpt.test");
  const auto report = add_sent("x@sender.example", Scope::Incoming);
  auto conclusion = concluded(report, "Processed");
  for (const Id id : {forwarded.message_id, sent.message_id}) {
    OtherDelivery& other = conclusion.others.emplace_back();
    other.message_id = id;
    other.delivery.status = "Bounced";
    other.delivery.timestamp = system_now();
  }
  ASSERT_TRUE(conclude(*store_, std::move(conclusion)));
  store_->close();
  EXPECT_EQ(world_.number(kServer, "SELECT SUM(bounces) FROM {message}`stats_daily`"), 1);
}

INSTANTIATE_TEST_SUITE_P(Engines, BounceReadsTest, ::testing::Values(sql::Dialect::Sqlite, sql::Dialect::MariaDb),
                         [](const auto& engine) {
                           return engine.param == sql::Dialect::Sqlite ? "SQLite" : "MariaDB";
                         });

}  // namespace
}  // namespace posthaste::store
