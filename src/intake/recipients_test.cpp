#include "intake/recipients.h"

#include <gtest/gtest.h>

#include "intake/testing.h"
#include "mail/address.h"

namespace posthaste::intake {
namespace {

using smtp::server::Login;
using smtp::server::Recipient;

// `outgoing a@b 1`, `route a@b 1/5`, `535 Mail server ...`; an address is given as RCPT hands it on.
class RecipientsTest : public ::testing::Test {
 protected:
  std::string ask(const std::string& address, const Login* login = nullptr, const char* client = "1.2.3.4") {
    const auto parts = mail::split_address(address);
    const std::string domain = to_lower(parts.domain);
    const auto decision =
        decide_recipient(*directory, config, {address, parts.local, domain, login, *IpAddress::parse(client)});
    if (!decision) {
      error = decision.error().error;
      return fmt::format("{} {}", decision.error().code, decision.error().text);
    }
    granted = decision->login;
    const auto& r = decision->recipient;
    switch (r.kind) {
      case Recipient::Kind::Outgoing:
        return fmt::format("outgoing {} {}", r.address, r.server_id);
      case Recipient::Kind::Bounce:
        return fmt::format("bounce {} {}", r.address, r.server_id);
      default:
        return fmt::format("route {} {}/{}", r.address, r.server_id, r.route_id);
    }
  }

  std::shared_ptr<const store::Directory> directory = testing::directory();
  config::Config config = testing::configuration();
  const Login shop{1, 1, "acme/shop"}, closed{2, 2, "acme/closed"};
  std::optional<Login> granted;
  std::string error;

  const std::string kSuspended = "535 Mail server has been suspended", kRequired = "530 Authentication required",
                    kRejected = "550 Route does not accept incoming messages";
};

TEST_F(RecipientsTest, ReturnPathsBelongToServersByToken) {
  EXPECT_EQ(ask("shopaa@rp.example.com"), "bounce shopaa@rp.example.com 1");
  EXPECT_EQ(ask("ShopAA+tag@RP.Example.COM"), "bounce ShopAA+tag@RP.Example.COM 1");
  EXPECT_EQ(ask("shopaa@psrp.unheard-of.test"), "bounce shopaa@psrp.unheard-of.test 1");
  EXPECT_EQ(ask("nothing@rp.example.com"), "550 Invalid server token");
  EXPECT_EQ(error, "invalid-server-token");
  EXPECT_EQ(ask("+x@psrp.shop.test"), "550 Invalid server token");
  EXPECT_EQ(ask("closed@rp.example.com"), kSuspended);
  EXPECT_EQ(ask("closed@psrp.closed.test", &shop), kSuspended);
}

TEST_F(RecipientsTest, ReturnPathPrefixMayBeKeptToKnownDomains) {
  config.smtp_server.accept_any_return_path_domain = false;
  EXPECT_EQ(ask("shopaa@psrp.shop.test"), "bounce shopaa@psrp.shop.test 1");
  EXPECT_EQ(ask("shopaa@psrp.unheard-of.test"), kRequired);
}

TEST_F(RecipientsTest, RouteTokensBecomeTheRoutesAddress) {
  EXPECT_EQ(ask("tokninfo@routes.example.com"), "route info@shop.test 1/1");
  EXPECT_EQ(ask("tokninfo+a+b@Routes.Example.Com"), "route info+a+b@shop.test 1/1");
  EXPECT_EQ(ask("tokninfo+@routes.example.com"), "route info+@shop.test 1/1");
  EXPECT_EQ(ask("toknstar@routes.example.com"), "route *@shop.test 1/4");
  EXPECT_EQ(ask("nothing@routes.example.com"), "550 Invalid route token");
  EXPECT_EQ(ask("toknretn@routes.example.com"), "550 Invalid route token");
  EXPECT_EQ(ask("toknrejc@routes.example.com"), kRejected);
  EXPECT_EQ(error, "route-rejected");
  EXPECT_EQ(ask("toknclos@routes.example.com"), kSuspended);
}

TEST_F(RecipientsTest, ALoginSendsAnywhere) {
  EXPECT_EQ(ask("Bob@Elsewhere.test", &shop), "outgoing Bob@Elsewhere.test 1");
  EXPECT_EQ(ask("info@shop.test", &shop), "outgoing info@shop.test 1");
  EXPECT_EQ(ask("info@closed.test", &shop), "outgoing info@closed.test 1");
  EXPECT_EQ(ask("bob@elsewhere.test", &closed), kSuspended);
}

TEST_F(RecipientsTest, ALoginWhoseCredentialIsGoneSendsNowhere) {
  auto rows = testing::rows();
  rows.credentials.erase(rows.credentials.begin());
  directory = testing::directory(rows);
  EXPECT_EQ(ask("bob@elsewhere.test", &shop), kRequired);
}

TEST_F(RecipientsTest, RoutesMatchByAddressThenByWildcard) {
  EXPECT_EQ(ask("info@shop.test"), "route info@shop.test 1/1");
  EXPECT_EQ(ask("INFO+x+y@SHOP.test"), "route INFO+x+y@SHOP.test 1/1");
  EXPECT_EQ(ask("other@shop.test"), "route other@shop.test 1/4");
  EXPECT_EQ(ask("+x@shop.test"), "route +x@shop.test 1/4");
  EXPECT_EQ(ask("reject+tag@shop.test"), kRejected);
  EXPECT_EQ(error, "route-rejection");
  EXPECT_EQ(ask("info@closed.test"), kSuspended);
}

TEST_F(RecipientsTest, NobodyElseMaySend) {
  for (const auto* address : {"a@nothing.test", "@shop.test", "info@sub.shop.test", "x@closed.test"})
    EXPECT_EQ(ask(address), kRequired) << address;
  EXPECT_EQ(error, "authentication-required");
  config.smtp_server.unknown_recipient_reply = 550;
  EXPECT_EQ(ask("x@closed.test"), "550 No such user here");
  EXPECT_EQ(ask("x@nothing.test"), kRequired);
}

TEST_F(RecipientsTest, NetworksLogInAfterRoutesWereTried) {
  EXPECT_EQ(ask("bob@elsewhere.test", nullptr, "10.1.2.3"), "outgoing bob@elsewhere.test 1");
  ASSERT_TRUE(granted);
  EXPECT_EQ(granted->credential_id, 4);
  EXPECT_EQ(granted->account, "acme/shop");
  EXPECT_EQ(ask("info@shop.test", nullptr, "10.1.2.3"), "route info@shop.test 1/1");
  EXPECT_FALSE(granted);
  EXPECT_EQ(ask("bob@elsewhere.test", nullptr, "11.1.2.3"), kSuspended);
}

}  // namespace
}  // namespace posthaste::intake
