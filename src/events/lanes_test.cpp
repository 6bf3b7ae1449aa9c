#include "events/lanes.h"

#include <gtest/gtest.h>

namespace posthaste::events {

namespace {

using namespace std::chrono_literals;

WebhookLanes::Waiting one(store::Id id, std::string site, store::Id server = 1, std::optional<store::Id> message = {}) {
  WebhookLanes::Waiting w;
  w.request.id = id;
  w.request.server_id = server;
  w.request.webhook_id = site == "a" ? 1 : 2;
  w.site = std::move(site);
  w.message = message;
  return w;
}

store::Id id_of(const std::optional<WebhookLanes::Waiting>& next) { return next ? next->request.id : 0; }

const Breaker::Instant kNow{};

}  // namespace

TEST(WebhookLanes, AHangingEndpointHoldsUpItsOwnLaneOnly) {
  WebhookLanes lanes({.concurrency = 10, .per_endpoint = 2});
  for (int i = 1; i <= 5; ++i) lanes.add(one(i, "a"));
  lanes.add(one(6, "b"));
  std::set<store::Id> begun;
  while (auto next = lanes.next(kNow)) begun.insert(next->request.id);
  EXPECT_EQ(begun, (std::set<store::Id>{1, 2, 6}));
}

TEST(WebhookLanes, ServersTakeTurnsAndHaveALimit) {
  WebhookLanes lanes({.concurrency = 10, .per_endpoint = 10, .per_server = 2});
  for (int i = 1; i <= 4; ++i) lanes.add(one(i, "a", 1));
  lanes.add(one(5, "a", 2));
  EXPECT_EQ(id_of(lanes.next(kNow)), 1);
  EXPECT_EQ(id_of(lanes.next(kNow)), 5);
  EXPECT_EQ(id_of(lanes.next(kNow)), 2);
  EXPECT_EQ(id_of(lanes.next(kNow)), 0) << "two of server 1 are under way";
}

TEST(WebhookLanes, ALaterEventOfAMessageWaitsForTheEarlierOne) {
  WebhookLanes lanes({});
  lanes.add(one(1, "a", 1, 7));
  lanes.add(one(2, "a", 1, 7));
  lanes.add(one(3, "a", 1, 8));
  const auto first = lanes.next(kNow);
  EXPECT_EQ(id_of(first), 1);
  EXPECT_EQ(id_of(lanes.next(kNow)), 3);
  EXPECT_EQ(id_of(lanes.next(kNow)), 0);
  lanes.ended(*first, true, kNow);
  EXPECT_EQ(id_of(lanes.next(kNow)), 2);
}

TEST(WebhookLanes, AnOpenBreakerKeepsOneForItsProbe) {
  WebhookLanes lanes({});
  for (int i = 1; i <= 30; ++i) lanes.add(one(i, "a"));
  for (int i = 0; i < 20; ++i) lanes.ended(*lanes.next(kNow), false, kNow);
  EXPECT_EQ(lanes.open_breakers(), 1u);
  EXPECT_EQ(id_of(lanes.next(kNow)), 0);
  EXPECT_EQ(lanes.take_blocked().size(), 9u);
  EXPECT_EQ(lanes.waiting(), 1u);
  EXPECT_EQ(lanes.full(), (std::set<store::Id>{1}));
  const auto probe = lanes.next(kNow + 31s);
  EXPECT_EQ(id_of(probe), 21);
  lanes.ended(*probe, true, kNow + 31s);
  EXPECT_TRUE(lanes.full().empty());
}

TEST(WebhookLanes, AHookWithEnoughWaitingIsFull) {
  WebhookLanes lanes({.waiting_per_hook = 2});
  lanes.add(one(1, "a"));
  EXPECT_TRUE(lanes.full().empty());
  lanes.add(one(2, "a"));
  EXPECT_EQ(lanes.full(), (std::set<store::Id>{1}));
  EXPECT_EQ(lanes.take_all().size(), 2u);
  EXPECT_EQ(lanes.waiting(), 0u);
}

}  // namespace posthaste::events
