#include "mail/delivery_report.h"

#include <gtest/gtest.h>

#include "base/strings.h"

namespace posthaste::mail {
namespace {

using Kind = DeliveryReport::Kind;

std::string crlf(std::string_view text) { return replace_all(text, "\n", "\r\n"); }

constexpr std::string_view kPostfix = R"(From: MAILER-DAEMON@mx.rcpt.test (Mail Delivery System)
To: abcdef@rp.example.org
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
	boundary="7A1B2C.1700000000/mx.rcpt.test"

This is a MIME-encapsulated message.

--7A1B2C.1700000000/mx.rcpt.test
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.rcpt.test.

<ann@rcpt.test>: host inner.rcpt.test[10.0.0.1] said: 550 5.1.1 <ann@rcpt.test>
    User unknown (in reply to RCPT TO command)

--7A1B2C.1700000000/mx.rcpt.test
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.rcpt.test
X-Postfix-Queue-ID: 7A1B2C
X-Postfix-Sender: rfc822; abcdef@rp.example.org
Original-Envelope-Id: tokentokentoken1
Arrival-Date: Tue, 14 Nov 2023 22:13:20 +0000 (UTC)

Final-Recipient: rfc822; ann@rcpt.test
Original-Recipient: rfc822;Ann.Lee@alias.test
Action: failed
Status: 5.1.1
Remote-MTA: dns; inner.rcpt.test
Diagnostic-Code: smtp; 550 5.1.1 <ann@rcpt.test> User unknown
    (in reply to RCPT TO command)

--7A1B2C.1700000000/mx.rcpt.test
Content-Description: Undelivered Message
Content-Type: message/rfc822

Received: from smtp.example.org by mx.rcpt.test
X-Postal-MsgID: tokentokentoken1
Message-ID: <one@example.com>
Subject: Hello

Hi, X-Postal-MsgID: inthebody
--7A1B2C.1700000000/mx.rcpt.test--
)";

TEST(DeliveryReport, OfPostfix) {
  const auto report = read_delivery_report(crlf(kPostfix));
  EXPECT_EQ(report.kind, Kind::Report) << "and no automatic reply, though it says auto-replied";
  EXPECT_TRUE(report.from_mail_system);
  EXPECT_EQ(report.envelope_id, "tokentokentoken1");
  EXPECT_EQ(report.reporting_mta, "mx.rcpt.test");
  EXPECT_EQ(report.arrival_date, "Tue, 14 Nov 2023 22:13:20 +0000 (UTC)");
  ASSERT_EQ(report.recipients.size(), 1U);
  const auto& ann = report.recipients[0];
  EXPECT_EQ(ann.final, "ann@rcpt.test");
  EXPECT_EQ(ann.original, "Ann.Lee@alias.test");
  EXPECT_EQ(ann.action, "failed");
  EXPECT_EQ(ann.status, "5.1.1");
  EXPECT_EQ(ann.remote_mta, "inner.rcpt.test");
  EXPECT_TRUE(ann.diagnostic.starts_with("550 5.1.1 <ann@rcpt.test> User unknown")) << ann.diagnostic;
  EXPECT_EQ(tokens_in_headers(report.returned), std::vector<std::string>{"tokentokentoken1"});
  ASSERT_EQ(report.texts.size(), 1U);
}

TEST(DeliveryReport, LineEndsOfAnyKindWillDo) {
  EXPECT_EQ(read_delivery_report(kPostfix).recipients.size(), 1U);
  EXPECT_FALSE(tokens_in_headers(read_delivery_report(kPostfix).returned).empty());
}

// Exchange: a status without comment, an HTML part, the headers alone as text, in base64.
TEST(DeliveryReport, OfExchangeWithHeadersInBase64) {
  const std::string headers = "X-Postal-MsgID: tokentokentoken1\r\nMessage-ID: <one@example.com>\r\nSubject: Hello\r\n";
  const auto report = read_delivery_report(
      "From: postmaster@outlook.test\r\nSubject: Undeliverable: Hello\r\nMIME-Version: 1.0\r\nContent-Type: "
      "multipart/report;\r\n report-type=delivery-status; boundary=\"_000_\"\r\n\r\n--_000_\r\nContent-Type: "
      "multipart/alternative; boundary=\"_001_\"\r\n\r\n--_001_\r\nContent-Type: text/html\r\n\r\n<p>ann@rcpt.test "
      "wasn't found</p>\r\n--_001_--\r\n\r\n--_000_\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: "
      "dns;AM0PR.outlook.test\r\nReceived-From-MTA: dns;smtp.example.org\r\n\r\nFinal-Recipient: "
      "rfc822;ann@rcpt.test\r\nAction: Failed\r\nStatus: 5.1.10 (no such recipient)\r\nDiagnostic-Code: smtp;550 "
      "5.1.10 RESOLVER.ADR.RecipientNotFound; not found\r\n\r\n\r\n--_000_\r\nContent-Type: "
      "text/rfc822-headers\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
      base64_encode(headers) + "\r\n--_000_--\r\n");
  EXPECT_EQ(report.kind, Kind::Report);
  EXPECT_TRUE(report.from_mail_system);
  ASSERT_EQ(report.recipients.size(), 1U);
  EXPECT_EQ(report.recipients[0].action, "failed");
  EXPECT_EQ(report.recipients[0].status, "5.1.10");
  EXPECT_EQ(report.recipients[0].diagnostic, "550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found");
  EXPECT_EQ(tokens_in_headers(report.returned), std::vector<std::string>{"tokentokentoken1"});
}

TEST(DeliveryReport, AnEncodedMessageIsDecodedToo) {
  const auto report = read_delivery_report(
      "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: "
      "message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
      base64_encode("X-Postal-MsgID: inner123\r\nSubject: Hello\r\n\r\nHi\r\n") + "\r\n--b--\r\n");
  EXPECT_EQ(tokens_in_headers(report.returned), std::vector<std::string>{"inner123"});
}

TEST(DeliveryReport, WithInternationalAddresses) {
  const auto report = read_delivery_report(crlf(R"(From: mailer-daemon@mx.test
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/global-delivery-status

Reporting-MTA: dns; mx.test

Original-Recipient: utf-8; j\x{F6}rg@rcpt.test
Final-Recipient: utf-8; jörg@rcpt.test
Action: failed
Status: 5.1.1
--b
Content-Type: message/global-headers

X-Postal-MsgID: tokentokentoken1
Subject: Grüße
--b--
)"));
  ASSERT_EQ(report.recipients.size(), 1U);
  EXPECT_EQ(report.recipients[0].original, "jörg@rcpt.test");
  EXPECT_EQ(report.recipients[0].final, "jörg@rcpt.test");
  EXPECT_EQ(tokens_in_headers(report.returned), std::vector<std::string>{"tokentokentoken1"});
}

TEST(DeliveryReport, OfSeveralRecipients) {
  DeliveryReport report;
  read_status_part(
      "Reporting-MTA: dns; mx.test\r\n\r\n\r\nFinal-Recipient: rfc822; a@x.test\r\nAction: delivered\r\nStatus: "
      "2.0.0\r\n\r\nFinal-Recipient: b@x.test\r\nAction: delayed\r\nStatus: 4.4.1\r\nWill-Retry-Until: Thu, 16 Nov "
      "2023 "
      "22:13:20 +0000\r\n\r\nStatus: nonsense\r\n",
      report);
  ASSERT_EQ(report.recipients.size(), 3U);
  EXPECT_EQ(report.recipients[0].action, "delivered");
  EXPECT_EQ(report.recipients[1].final, "b@x.test");
  EXPECT_EQ(report.recipients[1].will_retry_until, "Thu, 16 Nov 2023 22:13:20 +0000");
  EXPECT_EQ(report.recipients[2].status, "");
}

TEST(DeliveryReport, OfQmail) {
  const auto report = read_delivery_report(crlf(R"(From: MAILER-DAEMON@qmail.test
To: abcdef@rp.example.org
Subject: failure notice

Hi. This is the qmail-send program at qmail.test.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ann@rcpt.test>:
192.0.2.1 does not like recipient.
Remote host said: 550 no such user here
Giving up on 192.0.2.1.

--- Below this line is a copy of the message.

Return-Path: <abcdef@rp.example.org>
X-Postal-MsgID: tokentokentoken1
Subject: Hello

Hi
)"));
  EXPECT_EQ(report.kind, Kind::Text);
  ASSERT_EQ(report.recipients.size(), 1U);
  EXPECT_EQ(report.recipients[0].final, "ann@rcpt.test");
  EXPECT_EQ(report.recipients[0].action, "failed");
  EXPECT_EQ(report.recipients[0].status, "");
  EXPECT_EQ(report.recipients[0].diagnostic,
            "192.0.2.1 does not like recipient. Remote host said: 550 no such user here Giving up on 192.0.2.1.");
  EXPECT_EQ(tokens_in_headers(report.returned), std::vector<std::string>{"tokentokentoken1"});
}

TEST(DeliveryReport, OfExim) {
  const auto report = read_delivery_report(crlf(R"(From: Mail Delivery System <Mailer-Daemon@exim.test>
Auto-Submitted: auto-replied
X-Failed-Recipients: ann@rcpt.test
Subject: Mail delivery failed: returning message to sender

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  ann@rcpt.test
    SMTP error from remote mail server after RCPT TO:<ann@rcpt.test>:
    host mx.rcpt.test [192.0.2.1]: 550 5.1.1 User unknown

------ This is a copy of the message, including all the headers. ------

X-Postal-MsgID: tokentokentoken1
Subject: Hello

Hi
)"));
  EXPECT_EQ(report.kind, Kind::Text) << "though it says auto-replied";
  ASSERT_EQ(report.recipients.size(), 1U);
  EXPECT_EQ(report.recipients[0].final, "ann@rcpt.test");
  EXPECT_EQ(report.recipients[0].status, "5.1.1");
  EXPECT_EQ(tokens_in_headers(report.returned), std::vector<std::string>{"tokentokentoken1"});
}

TEST(DeliveryReport, OfAnOldExchange) {
  const auto report = read_delivery_report(crlf(R"(From: System Administrator <postmaster@exchange.test>
Subject: Undeliverable: Hello

Your message did not reach some or all of the intended recipients.

      Subject:	Hello
      Sent:	1/2/2024 10:00 AM

The following recipient(s) could not be reached:

      ann@rcpt.test on 1/2/2024 10:01 AM
            The e-mail account does not exist at the organization this message was sent to.
            <exchange.test #5.1.1>
)"));
  EXPECT_EQ(report.kind, Kind::Text);
  ASSERT_EQ(report.recipients.size(), 1U);
  EXPECT_EQ(report.recipients[0].final, "ann@rcpt.test");
  EXPECT_EQ(report.recipients[0].status, "5.1.1");
}

TEST(DeliveryReport, VacationRepliesAreNone) {
  for (const auto field : {"Auto-Submitted: auto-replied (vacation)", "X-Autoreply: yes", "X-Autorespond: away",
                           "Precedence: auto_reply"}) {
    const auto report = read_delivery_report(
        fmt::format("From: ann@rcpt.test\r\n{}\r\n\r\nI am away.\r\n> X-Postal-MsgID: t1\r\n", field));
    EXPECT_EQ(report.kind, Kind::AutoReply) << field;
    EXPECT_FALSE(report.from_mail_system);
  }
  EXPECT_EQ(read_delivery_report("Auto-Submitted: no\r\n\r\nHello\r\n").kind, Kind::Other);
  EXPECT_EQ(read_delivery_report("Precedence: bulk\r\n\r\nHello\r\n").kind, Kind::Other);
}

TEST(DeliveryReport, AComplaintIsNoBounce) {
  const auto report = read_delivery_report(crlf(R"(From: fbl@provider.test
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Provider/1
Original-Mail-From: <abcdef+b123-456@rp.example.org>
Source-IP: 192.0.2.1
Received-Date: Thu, 16 Nov 2023 22:13:20 +0000
Reported-Domain: example.com
--b
Content-Type: message/rfc822

X-Postal-MsgID: tokentokentoken1
Subject: Hello

Hi
--b--
)"));
  EXPECT_EQ(report.kind, Kind::Feedback);
  EXPECT_EQ(report.feedback.type, "abuse");
  EXPECT_EQ(report.feedback.user_agent, "Provider/1");
  EXPECT_EQ(report.feedback.original_mail_from, "abcdef+b123-456@rp.example.org");
  EXPECT_EQ(report.feedback.source_ip, "192.0.2.1");
  EXPECT_EQ(report.feedback.arrival_date, "Thu, 16 Nov 2023 22:13:20 +0000");
  EXPECT_EQ(report.feedback.reported_domain, "example.com");
  EXPECT_FALSE(report.returned.empty());
}

TEST(DeliveryReport, TokensAreFoundWhateverStandsAroundThem) {
  const std::vector<std::string> one = {"abc123"};
  EXPECT_EQ(tokens_in_text("X-Postal-MsgID: abc123\r\n"), one);
  EXPECT_EQ(tokens_in_text("x-postal-msgid:abc123"), one);
  EXPECT_EQ(tokens_in_text("> > X-POSTAL-MSGID:\r\n abc123\r\n"), one);
  EXPECT_EQ(tokens_in_text("headers: Y-Postal-MsgID: abc123, and X-Postal-MsgID: ABC123"), one) << "each once";
  EXPECT_TRUE(tokens_in_text("-Postal-MsgID: abc123").empty()) << "some character must stand in front";
  EXPECT_TRUE(tokens_in_text("X-Postal-MsgID: ").empty());
  EXPECT_TRUE(tokens_in_text("X-Postal-MsgID: " + std::string(100, 'a')).empty());
  std::string many;
  for (int i = 0; i < 100; ++i) many += fmt::format("X-Postal-MsgID: t{}\n", i);
  EXPECT_EQ(tokens_in_text(many).size(), 20U);
}

TEST(DeliveryReport, DamagedAndHostileOnesAreRead) {
  for (std::size_t length = 0; length < kPostfix.size(); length += 7) read_delivery_report(kPostfix.substr(0, length));
  std::string bytes(crlf(kPostfix));
  for (std::size_t i = 0; i < bytes.size(); i += 11) {
    std::string broken = bytes;
    broken[i] = char(0x80 + i % 128);
    const auto report = read_delivery_report(broken);
    for (const auto& recipient : report.recipients) EXPECT_TRUE(is_utf8(recipient.diagnostic + recipient.final));
  }
  std::string nested;
  for (int i = 0; i < 10000; ++i)
    nested += fmt::format("Content-Type: multipart/report; boundary=b{0}\r\n\r\n--b{0}\r\n", i);
  read_delivery_report(nested);
  std::string blocks = "Content-Type: message/delivery-status\r\n\r\n";
  for (int i = 0; i < 10000; ++i) blocks += "Action: failed\r\n\r\n";
  EXPECT_EQ(read_delivery_report(blocks).recipients.size(), 100U);
}

}  // namespace
}  // namespace posthaste::mail
