#include "mail/bounce_builder.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "mail/content.h"
#include "mail/delivery_report.h"
#include "mail/header.h"

namespace posthaste::mail {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kOriginal =
    "From: Ann <ann@rcpt.test>\r\nSubject: Please =?utf-8?Q?r=C3=A9ply?=\r\nMessage-ID: <mine@rcpt.test>\r\n\r\nUnique "
    "words here\r\n";

Bounce some_bounce(std::string_view original = kOriginal) {
  Bounce bounce;
  bounce.from = "closed@sender.example";
  bounce.to = bounce.mail_from = "ann@rcpt.test";
  bounce.contact = "help@sender.example";
  bounce.message_id = "1-2-3@rp.example.org";
  bounce.explanation = "The mailbox is closed.";
  bounce.date = bounce.arrival = Time(1700000000s);
  bounce.token = "tokentokentoken1@abcdef";
  bounce.original_message_id = "mine@rcpt.test";
  bounce.rcpt_to = "closed+t@sender.example";
  bounce.reporting_mta = "smtp.example.org";
  bounce.status = "5.1.1";
  bounce.diagnostic = "smtp; 550 5.1.1 no such user";
  bounce.remote_mta = "inner.test";
  bounce.original = original;
  return bounce;
}

std::string build(const Bounce& bounce) {
  return build_bounce(bounce, [](std::size_t length) { return std::string(length, 'b'); });
}

std::string value(const std::string& message, std::string_view name) {
  const auto fields = header_fields(message);
  const auto* field = last_field(fields, name);
  return field ? decode_text(field->value) : "(none)";
}

TEST(BounceBuilder, HeadersSayWhatItIs) {
  const auto message = build(some_bounce());
  EXPECT_EQ(value(message, "From"), "Mail Delivery Service <closed@sender.example>");
  EXPECT_EQ(value(message, "To"), "ann@rcpt.test");
  EXPECT_EQ(value(message, "Subject"), "Mail Delivery Failed (Please réply)");
  EXPECT_EQ(value(message, "Message-ID"), "<1-2-3@rp.example.org>");
  EXPECT_EQ(value(message, "Auto-Submitted"), "auto-replied");
  EXPECT_EQ(value(message, "In-Reply-To"), "<mine@rcpt.test>");
  EXPECT_EQ(value(message, "References"), "<mine@rcpt.test>");
  EXPECT_TRUE(value(message, "Content-Type").starts_with("multipart/report; report-type=delivery-status;"));
}

TEST(BounceBuilder, TheTextCarriesTheLabelledLines) {
  const auto content = read_content(build(some_bounce()));
  const std::string text = content.plain.value();
  for (const auto line : {"Message Token: tokentokentoken1@abcdef\n", "Orginal Message ID: mine@rcpt.test\n",
                          "Mail from: ann@rcpt.test\n", "Rcpt To: closed+t@sender.example"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  EXPECT_NE(text.find("closed@sender.example"), std::string::npos);
  EXPECT_NE(text.find("help@sender.example"), std::string::npos);
  EXPECT_NE(text.find("The mailbox is closed."), std::string::npos);
}

TEST(BounceBuilder, ItReadsBackAsAReport) {
  const auto report = read_delivery_report(build(some_bounce()));
  EXPECT_EQ(report.kind, DeliveryReport::Kind::Report);
  EXPECT_EQ(report.reporting_mta, "smtp.example.org");
  EXPECT_EQ(report.arrival_date, "Tue, 14 Nov 2023 22:13:20 +0000");
  ASSERT_EQ(report.recipients.size(), 1U);
  EXPECT_EQ(report.recipients[0].final, "closed+t@sender.example");
  EXPECT_EQ(report.recipients[0].action, "failed");
  EXPECT_EQ(report.recipients[0].status, "5.1.1");
  EXPECT_EQ(report.recipients[0].diagnostic, "550 5.1.1 no such user");
  EXPECT_EQ(report.recipients[0].remote_mta, "inner.test");
  EXPECT_EQ(message_id_of(header_fields(report.returned)), "mine@rcpt.test");
}

TEST(BounceBuilder, TheOriginalTravelsUnencoded) {
  const std::string original = std::string(kOriginal) + "r\xC3\xA9ponse = raw\r\n";
  const auto message = build(some_bounce(original));
  EXPECT_NE(message.find(original), std::string::npos);
  EXPECT_NE(message.find("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n"), std::string::npos);
  EXPECT_NE(message.find("filename=\"Original Message.eml\""), std::string::npos);
  EXPECT_NE(build(some_bounce()).find("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 7bit\r\n"),
            std::string::npos);
}

TEST(BounceBuilder, OfALargeOriginalOnlyTheHeaderGoesBack) {
  const std::string original = std::string(kOriginal) + std::string(kLargestReturned, 'x') + "\r\n";
  const auto message = build(some_bounce(original));
  EXPECT_EQ(message.find("Unique words"), std::string::npos);
  EXPECT_NE(message.find("Content-Type: text/rfc822-headers"), std::string::npos);
  EXPECT_LT(message.size(), 5000U);
  EXPECT_EQ(message_id_of(header_fields(read_delivery_report(message).returned)), "mine@rcpt.test");
}

TEST(BounceBuilder, OfAnOriginalWithLinesTooLongForMailTheHeaderGoesBack) {
  const auto message = build(some_bounce(std::string(kOriginal) + std::string(2000, 'x') + "\r\n"));
  EXPECT_NE(message.find("Content-Type: text/rfc822-headers"), std::string::npos);
}

TEST(BounceBuilder, NothingFromOutsideBecomesAFieldOfItsOwn) {
  auto bounce = some_bounce();
  bounce.diagnostic = "smtp; 550 no\nFinal-Recipient: rfc822; eve@x.test\r\n\r\nAction: delivered";
  bounce.original_message_id = "a\r\nBcc: eve@x.test";
  bounce.rcpt_to = "j\xC3\xB6rg@sender.example";
  const auto message = build(bounce);
  EXPECT_EQ(value(message, "Bcc"), "(none)");
  EXPECT_EQ(value(message, "In-Reply-To"), "(none)");
  const auto report = read_delivery_report(message);
  ASSERT_EQ(report.recipients.size(), 1U);
  EXPECT_EQ(report.recipients[0].final, "jörg@sender.example");
  EXPECT_EQ(report.recipients[0].action, "failed");
  EXPECT_TRUE(is_ascii(message));
}

}  // namespace
}  // namespace posthaste::mail
