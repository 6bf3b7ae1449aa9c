#include "intake/submissions.h"

#include <gtest/gtest.h>

#include "intake/testing.h"

namespace posthaste::intake {
namespace {

using smtp::server::Recipient;
using smtp::server::Transaction;
using Kind = Recipient::Kind;

const std::string kReceived = "Received: by mx\r\n";

Transaction transaction(std::vector<Recipient> recipients) {
  Transaction t;
  t.mail_from = "x@y.test";
  t.recipients = std::move(recipients);
  t.login = smtp::server::Login{1, 1, "acme/shop"};
  t.domain_id = 2;
  t.text = kReceived + "From: a@shop.test\r\nSubject: Hi\r\nX-Postal-Tag: news\r\n\r\nText\r\n";
  return t;
}

std::vector<store::Submission> made(Transaction t) {
  return submissions_of(std::move(t), *testing::directory(), [] { return Time{}; }, "rp.example.com");
}

TEST(Submissions, OutgoingMessagesArePrepared) {
  auto t = transaction({{Kind::Outgoing, "one@r.test", 1, 0}, {Kind::Outgoing, "two@r.test", 1, 0}});
  t.tls = true;
  const auto all = made(std::move(t));
  ASSERT_EQ(all.size(), 1u);
  ASSERT_EQ(all[0].messages.size(), 2u);
  const auto& m = all[0].messages[1];
  EXPECT_EQ(m.scope, store::Scope::Outgoing);
  EXPECT_EQ(m.rcpt_to, "two@r.test");
  EXPECT_EQ(m.mail_from, "x@y.test");
  EXPECT_EQ(m.subject, "Hi");
  EXPECT_EQ(m.tag, "news");
  EXPECT_EQ(m.domain_id, 2);
  EXPECT_EQ(m.credential_id, 1);
  EXPECT_EQ(m.route_id, std::nullopt);
  EXPECT_EQ(m.received_with_ssl, true);
  EXPECT_FALSE(m.bounce);
  EXPECT_EQ(m.token.size(), 16u);
  EXPECT_NE(m.token, all[0].messages[0].token);
  const auto headers = all[0].raw.headers();
  EXPECT_TRUE(headers.starts_with(kReceived));
  EXPECT_NE(headers.find("Date: "), std::string_view::npos);
  EXPECT_TRUE(m.message_id.ends_with("@rp.example.com"));
}

TEST(Submissions, EachAdditionalEndpointGetsAMessageOfItsOwn) {
  auto rows = testing::rows();
  rows.http_endpoints.push_back({.id = 9, .server_id = 1});
  rows.address_endpoints.push_back({.id = 3, .server_id = 1, .address = "copy@r.test"});
  rows.additional_endpoints.push_back({.id = 1, .route_id = 2, .endpoint_id = 3, .endpoint_type = "AddressEndpoint"});
  rows.additional_endpoints.push_back({.id = 2, .route_id = 2, .endpoint_id = 4, .endpoint_type = "HTTPEndpoint"});
  auto t = transaction({{Kind::Route, "hook+a@shop.test", 1, 2}, {Kind::Route, "info@shop.test", 1, 1}});
  t.login.reset();
  const auto all =
      submissions_of(std::move(t), *testing::directory(std::move(rows)), [] { return Time{}; }, "rp.example.com");
  ASSERT_EQ(all.size(), 1u);
  const auto& messages = all[0].messages;
  ASSERT_EQ(messages.size(), 3u) << "the endpoint that is gone gets none";
  EXPECT_EQ(messages[0].endpoint_type, "HTTPEndpoint");
  EXPECT_EQ(messages[1].endpoint_type, "AddressEndpoint");
  EXPECT_EQ(messages[1].endpoint_id, 3);
  EXPECT_EQ(messages[1].rcpt_to, "hook+a@shop.test");
  EXPECT_EQ(messages[1].route_id, 2);
  EXPECT_NE(messages[0].token, messages[1].token);
  EXPECT_EQ(messages[2].rcpt_to, "info@shop.test");
}

TEST(Submissions, ASendersVerdictsOnSpamAreLeftOut) {
  auto t = transaction({{Kind::Route, "info@shop.test", 1, 1}});
  t.text = kReceived +
           "X-Postal-Spam: no\r\nx-postal-spam-score:\r\n 0\r\nX-Postal-Threat: no\r\nSubject: Hi\r\n\r\nText\r\n";
  EXPECT_EQ(made(std::move(t))[0].raw.bytes(), kReceived + "Subject: Hi\r\n\r\nText\r\n");
}

TEST(Submissions, IncomingMessagesStayAsTheyCame) {
  auto t = transaction({{Kind::Route, "hook@shop.test", 1, 2},
                        {Kind::Route, "info@shop.test", 1, 1},
                        {Kind::Bounce, "shopaa@rp.example.com", 1, 0}});
  t.login.reset();
  t.domain_id.reset();
  const std::string text = t.text;
  const auto all = made(std::move(t));
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].raw.bytes(), text);
  const auto& hook = all[0].messages[0];
  EXPECT_EQ(hook.scope, store::Scope::Incoming);
  EXPECT_EQ(hook.route_id, 2);
  EXPECT_EQ(hook.domain_id, 1);
  EXPECT_EQ(hook.endpoint_type, "HTTPEndpoint");
  EXPECT_EQ(hook.endpoint_id, 9);
  EXPECT_EQ(hook.credential_id, std::nullopt);
  EXPECT_EQ(hook.received_with_ssl, std::nullopt);
  EXPECT_EQ(hook.tag, "");
  EXPECT_EQ(all[0].messages[1].endpoint_id, std::nullopt);
  const auto& bounce = all[0].messages[2];
  EXPECT_TRUE(bounce.bounce);
  EXPECT_EQ(bounce.route_id, 6);
  EXPECT_EQ(bounce.domain_id, std::nullopt);
}

TEST(Submissions, AreOneForEachServerAndDirection) {
  const auto all = made(transaction({{Kind::Outgoing, "one@r.test", 1, 0},
                                     {Kind::Bounce, "shopaa@rp.example.com", 1, 0},
                                     {Kind::Bounce, "closed@rp.example.com", 2, 0},
                                     {Kind::Outgoing, "two@r.test", 1, 0}}));
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].messages.size(), 2u);
  EXPECT_NE(all[0].raw.bytes(), all[1].raw.bytes());
  EXPECT_EQ(all[2].server_id, 2);
}

TEST(Submissions, LeaveOutServersThatAreGone) {
  EXPECT_TRUE(made(transaction({{Kind::Outgoing, "one@r.test", 77, 0}})).empty());
}

}  // namespace
}  // namespace posthaste::intake
