// Rewritten messages with their links, and hits, on both engines.
#include "store/tracked_message.h"

#include <gtest/gtest.h>

#include <future>

#include "store/hits.h"
#include "store/testing_store.h"

namespace posthaste::store {
namespace {

using namespace std::chrono_literals;
using testing::accept;
using testing::fresh_installation;
using testing::Installation;
using testing::submission;

constexpr Id kServer = Installation::kServer;

class TrackedMessageTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  TrackedMessageTest() : store_(world_.open()), stored_(accept(*store_, submission(kServer, 2), true).value()) {}
  ~TrackedMessageTest() override { store_->close(); }

  Id first() const { return stored_.messages.at(0).message_id; }
  Id second() const { return stored_.messages.at(1).message_id; }

  TrackedBefore track(Id id, std::optional<std::string> headers, std::optional<std::string> body,
                      std::vector<NewLink> links, bool in_place = false) {
    auto row = std::make_shared<TrackedMessage>();
    row->server_id = kServer;
    row->message_id = id;
    if (const auto message = store_->message(kServer, id)) row->raw_table = message->raw_table;
    row->headers = std::move(headers);
    row->body = std::move(body);
    row->links = std::move(links);
    row->images = 1;
    row->now = system_now();
    row->in_place = in_place;
    auto before = std::make_shared<TrackedBefore>(TrackedBefore::No);
    EXPECT_TRUE(write(tracked_message_write(std::move(row), before)));
    return *before;
  }
  Result<> write(Write write) {
    std::promise<Result<>> answer;
    store_->write(std::move(write), [&](Result<> result) { answer.set_value(std::move(result)); });
    return answer.get_future().get();
  }
  std::string raw(Id id) { return std::string(store_->raw(kServer, *store_->message(kServer, id))->bytes()); }
  std::int64_t number(std::string_view sql) const { return world_.number(kServer, sql); }

  Installation& world_ = fresh_installation(GetParam());
  std::unique_ptr<Store> store_;
  Stored stored_;
};

TEST_P(TrackedMessageTest, OneOfTwoThatShareTheirBytesGetsItsOwn) {
  const std::string before = raw(second());
  const std::string head = before.substr(0, before.find("\r\n\r\n"));
  EXPECT_EQ(
      track(first(), std::nullopt, "new body", {{"tokentokentoken1", "http://x.test/\xC3\xA4"}, {"t2", "http://y"}}),
      TrackedBefore::No);
  EXPECT_EQ(raw(first()), head + "\r\n\r\nnew body");
  EXPECT_EQ(raw(second()), before);
  EXPECT_TRUE(store_->message(kServer, first())->parsed);
  EXPECT_FALSE(store_->message(kServer, second())->parsed);
  EXPECT_EQ(world_.text(kServer, "SELECT hash FROM {message}`links` WHERE token = 't2'"),
            "01a39538b5ac8a8e9a875403fb9d5fc38b09fd9b");
  EXPECT_EQ(number("SELECT SUM(tracked_links) FROM {message}`messages`"), 2);
  EXPECT_EQ(number("SELECT SUM(tracked_images) FROM {message}`messages` WHERE parsed = 1"), 1);
  const auto link = find_link(*store_, kServer, "tokentokentoken1");
  ASSERT_TRUE(link);
  EXPECT_EQ(link->url, "http://x.test/\xC3\xA4");
  EXPECT_EQ(link->message_id, first());
}

TEST_P(TrackedMessageTest, ASecondTimeNothingIsWritten) {
  track(first(), "X: 1", "body", {{"t1", "http://x"}});
  EXPECT_EQ(track(first(), "X: 2", "other", {{"t2", "http://y"}}), TrackedBefore::Yes);
  EXPECT_EQ(raw(first()), "X: 1\r\n\r\nbody");
  EXPECT_EQ(number("SELECT COUNT(*) FROM {message}`links`"), 1);
}

TEST_P(TrackedMessageTest, AMessageThatIsGoneLeavesNothing) {
  EXPECT_EQ(track(999, "X: 1", "body", {{"t1", "http://x"}}), TrackedBefore::MessageGone);
  EXPECT_EQ(number("SELECT COUNT(*) FROM {message}`links`"), 0);
}

TEST_P(TrackedMessageTest, BesideAPostalTheRowsStay) {
  const auto before = store_->message(kServer, first());
  track(first(), "X: 1", "body", {}, true);
  const auto after = store_->message(kServer, first());
  EXPECT_EQ(after->raw_headers_id, before->raw_headers_id);
  EXPECT_EQ(after->raw_body_id, before->raw_body_id);
  EXPECT_EQ(raw(first()), "X: 1\r\n\r\nbody");
}

TEST_P(TrackedMessageTest, SignedHeadersComeInFrontOfTheNewOnes) {
  track(first(), "X: 1", std::nullopt, {});
  QueuedMessage queued;
  queued.server_id = kServer;
  queued.message_id = first();
  queued.queue_id = stored_.messages.at(0).queue_id;
  auto conclusion = testing::concluded(queued, "Sent");
  conclusion.prepend_headers = "DKIM-Signature: a\r\n";
  ASSERT_TRUE(testing::conclude(*store_, std::move(conclusion)));
  EXPECT_TRUE(raw(first()).starts_with("DKIM-Signature: a\r\nX: 1\r\n\r\n"));
}

TEST_P(TrackedMessageTest, TokensMatchExactlyOrElseRegardlessOfCase) {
  track(first(), "X: 1", std::nullopt, {{"AbCd", "http://1"}, {"abcd", "http://2"}, {"EfGh", "http://3"}});
  EXPECT_EQ(find_link(*store_, kServer, "AbCd")->url, "http://1");
  EXPECT_EQ(find_link(*store_, kServer, "abcd")->url, "http://2");
  EXPECT_FALSE(find_link(*store_, kServer, "ABCD"));  // which of the two?
  EXPECT_EQ(find_link(*store_, kServer, "efgh")->url, "http://3");
  EXPECT_FALSE(find_link(*store_, kServer, "nope"));
}

// The writer repeats a batch whose COMMIT got no answer.
TEST_P(TrackedMessageTest, AHitThatIsWrittenTwiceIsRecordedOnce) {
  track(first(), "X: 1", std::nullopt, {{"t1", "http://1"}});
  NewHit hit;
  hit.server_id = kServer;
  hit.link = find_link(*store_, kServer, "t1");
  hit.ip_address = "198.51.100.7";
  hit.when = system_now();
  int asked = 0;
  const auto job = hit_write(hit, [&](const NewHit&, const Message& message, HitClass) {
    ++asked;
    EXPECT_EQ(message.id, first());
    return std::vector<NewWebhookRequest>{{1, "http://hook.test", "MessageLinkClicked", "uuid", "{}"}};
  });
  ASSERT_TRUE(write(job));
  ASSERT_TRUE(write(job));
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(number("SELECT COUNT(*) FROM {message}`clicks`"), 1);
  EXPECT_EQ(
      world_.number(kServer, fmt::format("SELECT COUNT(*) FROM {}",
                                         world_.sqlite() ? "`queued_webhook_requests`" : "{queue}`webhook_requests`")),
      1);
}

INSTANTIATE_TEST_SUITE_P(Sqlite, TrackedMessageTest, ::testing::Values(sql::Dialect::Sqlite));
INSTANTIATE_TEST_SUITE_P(MariaDb, TrackedMessageTest, ::testing::Values(sql::Dialect::MariaDb));

}  // namespace
}  // namespace posthaste::store
