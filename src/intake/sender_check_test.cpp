#include "intake/sender_check.h"

#include <gtest/gtest.h>

#include "intake/testing.h"

namespace posthaste::intake {
namespace {

// The name of the domain, or `no: <why>`. `$` stands for the server's domain.
std::string check(std::string header, bool allow_sender = false, bool use_for_any = false) {
  auto rows = testing::rows();
  rows.servers[0].allow_sender = allow_sender;
  rows.domains[0].use_for_any = use_for_any;
  const auto directory = testing::directory(std::move(rows));
  const std::string text = replace_all(header, "$", "shop.test") + "\r\n\r\n";
  const auto verdict = authenticate_sender(*directory, *directory->server(1), mail::header_fields(text));
  return verdict ? (*verdict)->name : "no: " + verdict.error();
}

bool passes(const std::string& header) { return !check(header).starts_with("no: "); }

TEST(SenderCheck, TakesFromInEveryDress) {
  for (const auto* header :
       {"From: a@$", "From: <a@$>", "From: Ada Admin <a@$>", "From: \"Admin, Ada\" <a@$>", "From: a@$ (Ada Admin)",
        "from: a@$", "FROM:a@$", "From: Ada\r\n <a@$>", "From:\r\n\ta@$", "From: =?utf-8?q?Ad=C3=A4?= <a@$>",
        "From: Ad\xC3\xA4 <a@$>", "From: ada+tag@$", "From: A@SHOP.TEST", "From : a@$",
        "Sender: x@elsewhere.test\r\nFrom: a@$", "From: info@$ <a@$>"})
    EXPECT_EQ(check(header), "shop.test") << header;
  EXPECT_EQ(check("From: a@acme.test"), "acme.test");
}

TEST(SenderCheck, EveryMailboxCounts) {
  EXPECT_EQ(check("From: <a@$>, <b@acme.test>"), "shop.test");
  EXPECT_EQ(check("From: a@acme.test\r\nFrom: b@$"), "acme.test");
  EXPECT_FALSE(passes("From: <a@$>, <b@elsewhere.test>"));
  EXPECT_FALSE(passes("From: a@$\r\nFrom: b@elsewhere.test"));
  EXPECT_FALSE(passes("From: b@elsewhere.test\r\nFrom: a@$"));
}

TEST(SenderCheck, IsNotDeceived) {
  EXPECT_EQ(check("From: <ceo@victim.test>, <me@$>"), "no: domain victim.test is not verified for this server");
  EXPECT_FALSE(passes("From: evil@bad.test (<me@$>)"));
  EXPECT_FALSE(passes("From : ceo@victim.test\r\nFrom: me@$"));
  EXPECT_FALSE(passes("From: ceo@victim.test <me@$>"));
  EXPECT_FALSE(passes("From: a@$ <b@elsewhere.test>"));
}

TEST(SenderCheck, SaysWhyNot) {
  EXPECT_EQ(check("Subject: none"), "no: From header missing");
  EXPECT_EQ(check("From: "), "no: From header has no address");
  EXPECT_EQ(check("From: nobody"), "no: From header cannot be understood");
  EXPECT_EQ(check("From: a@unverified.test"), "no: domain unverified.test is not verified for this server");
  EXPECT_EQ(check("From: a@sub.$"), "no: domain sub.shop.test is not verified for this server");
  EXPECT_EQ(check("From: a@closed.test"), "no: domain closed.test is not verified for this server");
  EXPECT_EQ(check("From: a@[1.2.3.4]"), "no: domain [1.2.3.4] is not valid");
}

TEST(SenderCheck, SenderCountsWhereItIsAllowed) {
  EXPECT_FALSE(passes("Sender: a@$\r\nFrom: b@elsewhere.test"));
  EXPECT_EQ(check("Sender: a@$\r\nFrom: b@elsewhere.test", true), "shop.test");
  EXPECT_EQ(check("Sender: a@$", true), "shop.test");
  EXPECT_EQ(check("From: a@$", true), "shop.test");
  EXPECT_EQ(check("Sender: a@$, b@$\r\nFrom: b@elsewhere.test", true),
            "no: domain elsewhere.test is not verified for this server");
  EXPECT_EQ(check("Sender: a@elsewhere.test", true), "no: From header missing");
}

TEST(SenderCheck, ADomainForAnyAddressStillNeedsAnAddress) {
  EXPECT_EQ(check("From: x@anything.test", false, true), "shop.test");
  EXPECT_EQ(check("From: nobody", false, true), "no: From header cannot be understood");
  EXPECT_EQ(check("From: a@[1.2.3.4]", false, true), "no: domain [1.2.3.4] is not valid");
}

TEST(FromFields, MayDiffer) {
  EXPECT_FALSE(from_fields_differ(mail::header_fields("From: a@b.test\r\nFrom: Ada <A@b.test>\r\n\r\n")));
  EXPECT_TRUE(from_fields_differ(mail::header_fields("From: a@b.test\r\nFrom: c@b.test\r\n\r\n")));
}

}  // namespace
}  // namespace posthaste::intake
