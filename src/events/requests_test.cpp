#include "events/requests.h"

#include <gtest/gtest.h>

#include "store/directory_snapshot.h"

namespace posthaste::events {

namespace {

store::Webhook hook(store::Id id, std::vector<std::string> events, bool enabled = true) {
  store::Webhook w;
  w.id = id;
  w.server_id = 1;
  w.url = "http://hooks.example/" + std::to_string(id);
  w.enabled = enabled;
  w.all_events = events.empty();
  w.events = std::move(events);
  return w;
}

store::Snapshot directory() {
  store::ConfigurationRows rows;
  rows.organizations.emplace_back().id = 1;
  rows.organizations[0].permalink = "acme";
  auto& server = rows.servers.emplace_back();
  server.id = server.organization_id = 1;
  server.uuid = "s-u";
  server.name = "Main";
  server.permalink = "main";
  rows.webhooks = {hook(1, {}), hook(2, {"MessageSent"}), hook(3, {"MessageHeld", "MessageComplained"}),
                   hook(4, {}, false)};
  return store::Snapshot(std::move(rows));
}

std::vector<store::Id> hooks_of(const Requests& requests) {
  std::vector<store::Id> ids;
  for (const auto& request : requests) ids.push_back(request.webhook_id);
  return ids;
}

store::Delivery delivery(std::string status) {
  store::Delivery d;
  d.status = std::move(status);
  return d;
}

}  // namespace

TEST(Requests, OneForEachHookThatWantsTheEvent) {
  const auto d = directory();
  const auto sent = status_requests(d, 1, {}, delivery("Sent"));
  EXPECT_EQ(hooks_of(sent), (std::vector<store::Id>{1, 2}));
  EXPECT_NE(sent[0].uuid, sent[1].uuid);
  EXPECT_EQ(sent[0].payload, sent[1].payload);
  EXPECT_EQ(sent[1].url, "http://hooks.example/2");
  EXPECT_EQ(sent[1].event, "MessageSent");
  EXPECT_EQ(hooks_of(status_requests(d, 1, {}, delivery("Held"))), (std::vector<store::Id>{1, 3}));
  EXPECT_EQ(hooks_of(status_requests(d, 1, {}, delivery("HardFail"))), (std::vector<store::Id>{1}));
  EXPECT_TRUE(status_requests(d, 2, {}, delivery("Sent")).empty());
}

TEST(Requests, OtherStatusesHaveNoEvent) {
  const auto d = directory();
  for (const auto* status : {"Processed", "HoldCancelled", "Error", "Bounced"})
    EXPECT_TRUE(status_requests(d, 1, {}, delivery(status)).empty()) << status;
}

TEST(Requests, AConclusionTellsOfTheMessageAsItLeavesIt) {
  const auto d = directory();
  store::Conclusion conclusion;
  conclusion.server_id = 1;
  tell_of_delivery(d, {}, conclusion);
  EXPECT_TRUE(conclusion.requests.empty()) << "no delivery, no event";
  conclusion.delivery = delivery("Sent");
  conclusion.tag = "weekly";
  conclusion.inspection.emplace().spam = true;
  tell_of_delivery(d, {}, conclusion);
  ASSERT_EQ(conclusion.requests.size(), 2u);
  EXPECT_TRUE(conclusion.requests[0].payload.contains(R"("spam_status":"Spam","tag":"weekly")"));
}

TEST(Requests, SendLimitsNameTheServer) {
  const auto d = directory();
  const auto told = send_limit_requests(d, *d.server(1), SendLimit::Approaching, 90, 100);
  ASSERT_EQ(hooks_of(told), (std::vector<store::Id>{1}));
  EXPECT_EQ(told[0].event, "SendLimitApproaching");
  EXPECT_EQ(
      told[0].payload,
      R"({"server":{"uuid":"s-u","name":"Main","permalink":"main","organization":"acme"},"volume":90,"limit":100})");
}

TEST(Requests, DnsErrorsShowWhatWasFound) {
  const auto d = directory();
  store::Domain domain;
  domain.name = "example.com";
  domain.uuid = "d-u";
  domain.dns_checked_at = from_unix_micros(1700000000000000);
  domain.spf_status = "OK";
  domain.mx_status = "Missing";
  domain.mx_error = "no MX";
  EXPECT_EQ(dns_error_requests(d, *d.server(1), domain).at(0).payload,
            R"({"server":{"uuid":"s-u","name":"Main","permalink":"main","organization":"acme"},"domain":"example.com",)"
            R"("uuid":"d-u","dns_checked_at":1700000000.0,"spf_status":"OK","spf_error":null,"dkim_status":null,)"
            R"("dkim_error":null,"mx_status":"Missing","mx_error":"no MX","return_path_status":null,)"
            R"("return_path_error":null})");
}

TEST(Requests, HooksForAllEventsGetThoseOfPostalOnly) {
  EXPECT_TRUE(known_to_postal("SendLimitExceeded"));
  EXPECT_FALSE(known_to_postal("MessageUnsubscribed"));
}

}  // namespace posthaste::events
