// The way of a message through the store, on both engines.
#include "store/store.h"

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

class StoreTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  Installation world_{GetParam()};
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

INSTANTIATE_TEST_SUITE_P(Engines, StoreTest, ::testing::Values(sql::Dialect::Sqlite, sql::Dialect::MariaDb),
                         [](const auto& info) { return info.param == sql::Dialect::Sqlite ? "Sqlite" : "MariaDb"; });

}  // namespace
}  // namespace posthaste::store
