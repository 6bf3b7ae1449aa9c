// Dialogues with a session, without a network: the acceptance cases of smtp-server.md as stories.
#include "smtp/server/session.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "smtp/server/testing.h"

namespace posthaste::smtp::server {
namespace {

using testing::Dialogue;
using testing::kKey;

constexpr auto kUnknown = "502 Invalid/unsupported command\r\n";

TEST(Greeting, NamesHostProductAndTraceId) {
  Dialogue d;
  EXPECT_EQ(d.greeting, "220 mx.example.com ESMTP Postal/TRACE123\r\n");
}

TEST(Greeting, HeloIsNotLookedAt) {
  for (const auto* line : {"HELO x", "HELO: test.example.com", "helo x", "HELO", "HELO some words more"})
    EXPECT_EQ(Dialogue().say(line), "250 mx.example.com\r\n") << line;
}

TEST(Greeting, EhloListsCapabilities) {
  EXPECT_EQ(Dialogue().say("EHLO x"),
            "250-mx.example.com My capabilities are\r\n250-PIPELINING\r\n250-SIZE 14680064\r\n250-8BITMIME\r\n"
            "250-ENHANCEDSTATUSCODES\r\n250-CHUNKING\r\n250-SMTPUTF8\r\n250-LIMITS MAILMAX=1000 RCPTMAX=1000\r\n"
            "250 AUTH CRAM-MD5 PLAIN LOGIN\r\n");
  Dialogue tls([](Settings& s) { s.tls_enabled = true; });
  EXPECT_NE(tls.say("EHLO x").find("250-STARTTLS\r\n"), std::string::npos);
}

TEST(Greeting, ForeignProtocolsAreTurnedAway) {
  Dialogue http;
  EXPECT_EQ(http.say("GET / HTTP/1.1"), "421 mx.example.com Protocol error\r\n");
  EXPECT_TRUE(http.closed());
  Dialogue tls;
  EXPECT_EQ(tls.raw("\x16\x03\x01"), "");
  EXPECT_TRUE(tls.closed());
}

struct Order {
  std::vector<std::string> lines;
  std::string last;
};

TEST(Order, IsKept) {
  const std::string first = "503 EHLO/HELO first please\r\n", rcpt = "503 EHLO/HELO and MAIL FROM first please\r\n",
                    data = "503 HELO/EHLO, MAIL FROM and RCPT TO before sending data\r\n", ok = "250 OK\r\n";
  const std::string mail = "MAIL FROM:<a@b.c>", local = "RCPT TO:<info@local.test>";
  const std::vector<Order> cases{
      {{mail}, first},
      {{"RCPT TO:<a@b.c>"}, rcpt},
      {{"DATA"}, data},
      {{"HELO x", "RCPT TO:<a@b.c>"}, rcpt},
      {{"HELO x", mail, "DATA"}, data},
      {{"HELO x", mail, mail}, ok},
      {{"HELO x", mail, local, mail}, "503 Sender already specified\r\n"},
      {{"HELO x", mail, local, "RSET", mail}, ok},
      {{"HELO x", mail, local, "RSET", "DATA"}, data},
      {{"HELO x", mail, local, "HELO y", "DATA"}, data},
      {{"HELO x", mail, "RCPT TO:<nobody@local.test>", "DATA"}, data},
      {{"HELO x", mail, local, "NOOP", "FOO", "DATA"}, "354 Go ahead\r\n"},
      {{mail, "HELO x", mail}, ok},
      {{"RSET", mail}, first},
  };
  for (const auto& c : cases) {
    Dialogue d;
    std::string last;
    for (const auto& line : c.lines) last = d.say(line);
    EXPECT_EQ(last, c.last) << c.lines.back();
  }
}

TEST(Commands, UnknownOnesAreRefusedAndTheSessionGoesOn) {
  Dialogue d("HELO x");
  for (const auto* line : {"", "FOO", "HELP", "EXPN staff", " NOOP", "MAILFROM:<a@b>", "QUITTER"})
    EXPECT_EQ(d.say(line), kUnknown) << line;
  EXPECT_EQ(d.say("VRFY a"), "252 Cannot verify user, send some mail\r\n");
  EXPECT_EQ(d.say("noop"), "250 OK\r\n");
  EXPECT_EQ(d.say("QUIT"), "221 Closing Connection\r\n");
  EXPECT_TRUE(d.closed());
}

TEST(Commands, PipelinedOnesAreAnsweredInOrderUntilQuit) {
  Dialogue d("HELO x");
  EXPECT_EQ(d.raw("NOOP\nFOO\r\nQUIT\r\nNOOP\r\n"),
            std::string("250 OK\r\n") + kUnknown + "221 Closing Connection\r\n");
}

TEST(Commands, MayArriveInPieces) {
  Dialogue d("HELO x");
  EXPECT_EQ(d.raw("NO"), "");
  EXPECT_EQ(d.raw("OP\r"), "");
  EXPECT_EQ(d.raw("\nNOO"), "250 OK\r\n");
  EXPECT_EQ(d.raw("P\r\n"), "250 OK\r\n");
}

TEST(Commands, LongLinesAndControlCharactersAreRefused) {
  Dialogue d("EHLO x");
  EXPECT_EQ(d.say("NOOP " + std::string(5000, 'x')), "500 5.5.2 Line too long\r\n");
  EXPECT_EQ(d.say(std::string_view("NO\0OP", 5)), "500 5.5.2 Invalid character in command\r\n");
  EXPECT_EQ(d.say("NOOP"), "250 2.0.0 OK\r\n");
}

TEST(Commands, TooManyErrorsEndTheSession) {
  Dialogue d("HELO x");
  for (int i = 0; i < 19; ++i) EXPECT_EQ(d.say("FOO"), kUnknown);
  EXPECT_EQ(d.say("FOO"), std::string(kUnknown) + "421 mx.example.com Too many errors\r\n");
  EXPECT_TRUE(d.closed());
  EXPECT_EQ(d.pauses, 9u);
}

// --- MAIL and RCPT

TEST(Mail, ReversePathAndParameters) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"<a@b.c> SIZE=10 BODY=8BITMIME", "250 OK"},
      {"<a@b.c> AUTH=<x@y> XUNKNOWN RET=HDRS", "250 OK"},
      {"<>", "250 OK"},
      {"<root>", "250 OK"},
      {"<a@b.c> SIZE=20000000", "552 Message too large (maximum size 14MB)"},
      {"<a@b.c> SIZE=x", "501 Syntax error in parameters"},
      {"<a@b.c> BODY=9BIT", "501 Syntax error in parameters"},
      {"<a@b.c> BODY=BINARYMIME", "555 Unsupported option: BODY=BINARYMIME"},
      {"<a@b.c> SMTPUTF8", "555 Unsupported option: SMTPUTF8"},
      {"<a@b.c", "501 Bad sender address syntax"},
      {"<" + std::string(65, 'x') + "@b.c>", "501 Bad sender address syntax"},
      {"<j\xC3\xBCrgen@b.c>", "553 Non-ASCII sender address requires SMTPUTF8"},
  };
  for (const auto& [argument, reply] : cases)
    EXPECT_EQ(Dialogue("HELO x").say("MAIL FROM:" + argument), reply + "\r\n") << argument;
  EXPECT_EQ(Dialogue("EHLO x").say("MAIL FROM:<a@b.c> SIZE=20000000"),
            "552 5.3.4 Message too large (maximum size 14MB)\r\n");
  EXPECT_EQ(Dialogue("EHLO x").say("MAIL FROM:<j\xC3\xBCrgen@b.c> SMTPUTF8"), "250 2.1.0 OK\r\n");
}

TEST(Rcpt, NeedsAnAddress) {
  for (const auto* argument : {": ", ":<>", ":"}) {
    Dialogue d("HELO x", "MAIL FROM:<a@b.c>");
    EXPECT_EQ(d.say("RCPT TO" + std::string(argument)), "501 RCPT TO should not be empty\r\n") << argument;
  }
  for (const auto* argument : {"", ": blah", ":<blah>", ":<a@>"}) {
    Dialogue d("HELO x", "MAIL FROM:<a@b.c>");
    EXPECT_EQ(d.say("RCPT TO" + std::string(argument)), "501 Invalid RCPT TO\r\n") << argument;
  }
}

TEST(Rcpt, AsksWithANormalDomain) {
  Dialogue d("HELO x", "MAIL FROM:<a@b.c>");
  EXPECT_EQ(d.say("RCPT TO:<Info@LOCAL.test.>"), "250 OK\r\n");
  EXPECT_EQ(d.say("RCPT TO:<\"info\"@local.test>"), "250 OK\r\n");
}

TEST(Rcpt, UnknownOnesAreWrittenToTheLogAsFailedLogins) {
  Dialogue d("EHLO x", "MAIL FROM:<a@b.c>");
  EXPECT_EQ(d.say("RCPT TO:<x@elsewhere.test>"), "530 5.7.0 Authentication required\r\n");
}

TEST(Rcpt, HasALimit) {
  Dialogue d([](Settings& s) { s.max_recipients = 2; });
  for (const auto* line : {"EHLO x", "MAIL FROM:<a@b.c>", "RCPT TO:<info@local.test>", "RCPT TO:<info+1@local.test>"})
    d.say(line);
  EXPECT_EQ(d.say("RCPT TO:<info+2@local.test>"), "452 4.5.3 Too many recipients\r\n");
  d.say("DATA");
  EXPECT_TRUE(d.say("Subject: x\r\n\r\n.").starts_with("250 "));
  EXPECT_EQ(d.handler.stored.at(0).recipients.size(), 2u);
}

TEST(Rcpt, TheSameTwiceIsOne) {
  Dialogue d("HELO x", "MAIL FROM:<a@b.c>", "RCPT TO:<info@local.test>", "RCPT TO:<info@local.test>", "DATA",
             "x: y\r\n.");
  ASSERT_EQ(d.handler.stored.size(), 1u);
  EXPECT_EQ(d.handler.stored[0].recipients.size(), 1u);
}

TEST(Rcpt, ANetworkLogsInByItself) {
  Dialogue d("HELO x", "MAIL FROM:<a@b.c>");
  d.handler.network_login = true;
  EXPECT_EQ(d.say("RCPT TO:<x@elsewhere.test>"), "250 OK\r\n");
  EXPECT_EQ(d.say("AUTH PLAIN"), "503 Already authenticated\r\n");
}

TEST(Submission, NeedsTlsAndALogin) {
  Dialogue d([](Settings& s) {
    s.auth = Settings::AuthPolicy::Required;
    s.tls_required = s.tls_enabled = true;
  });
  d.say("EHLO x");
  EXPECT_EQ(d.say("MAIL FROM:<a@b.c>"), "530 5.7.0 Must issue a STARTTLS command first\r\n");
  d.say("STARTTLS");
  d.handshake();
  d.say("EHLO x");
  EXPECT_EQ(d.say("MAIL FROM:<a@b.c>"), "530 5.7.0 Authentication required\r\n");
  d.say("AUTH PLAIN " + base64_encode(std::string("\0x\0", 3) + kKey));
  EXPECT_EQ(d.say("MAIL FROM:<a@b.c>"), "250 2.1.0 OK\r\n");
}

// --- the text

std::string stored_text(Dialogue& d) {
  if (d.handler.stored.empty()) return "nothing was stored";
  const std::string& text = d.handler.stored.back().text;
  return text.substr(text.find("\r\n") + 2);
}

TEST(Data, IsStoredBehindOurReceivedField) {
  Dialogue d("HELO test.example.com", "MAIL FROM:<a@b.c>", "RCPT TO:<info@local.test>", "DATA");
  EXPECT_EQ(d.say("Subject: x\r\n\r\n..foo\n.bar\r\n."), "250 OK\r\n");
  ASSERT_EQ(d.handler.stored.size(), 1u);
  const auto& t = d.handler.stored[0];
  EXPECT_EQ(t.mail_from, "a@b.c");
  EXPECT_FALSE(t.tls);
  EXPECT_EQ(
      t.text,
      "Received: from test.example.com (1.2.3.4 [1.2.3.4]) by mx.example.com with SMTP; Thu, 01 Jan 1970 00:00:00 "
      "-0000\r\nSubject: x\r\n\r\n.foo\r\nbar\r\n");
}

TEST(Data, EhloSessionsTellMore) {
  Dialogue d("EHLO test.example.com", "MAIL FROM:<a@b.c>", "RCPT TO:<info@local.test>", "DATA");
  EXPECT_EQ(d.say("."), "250 2.0.0 OK id=token\r\n");
  EXPECT_TRUE(d.handler.stored[0].text.starts_with(
      "Received: from test.example.com (1.2.3.4 [1.2.3.4]) by mx.example.com with ESMTP id TRACE123-1; "));
}

TEST(Data, NamesThePointerThatArrivedMeanwhile) {
  Dialogue d([](Settings&) {});
  d.client_name = "ptr.test";
  for (const auto* line : {"HELO x", "MAIL FROM:<>", "RCPT TO:<info@local.test>", "DATA", "."}) d.say(line);
  EXPECT_TRUE(d.handler.stored[0].text.starts_with("Received: from x (ptr.test [1.2.3.4]) by "));
}

TEST(Data, SmugglingStaysText) {
  Dialogue d("HELO x", "MAIL FROM:<a@b.c>", "RCPT TO:<info@local.test>", "DATA");
  EXPECT_EQ(d.raw("a: b\n.\nMAIL FROM:<evil@b.c>\r\n.\nRCPT TO:<x@y>\n.\r\n"), "");
  EXPECT_EQ(d.raw("end\r\n.\r\n"), "250 OK\r\n");
  EXPECT_EQ(stored_text(d), "a: b\r\n.\r\nMAIL FROM:<evil@b.c>\r\n.\r\nRCPT TO:<x@y>\r\n.\r\nend\r\n");
}

TEST(Data, TwoWholeMessagesInOneWrite) {
  Dialogue d("HELO x");
  const std::string one =
      "MAIL FROM:<a@b.c>\r\nRCPT TO:<info@local.test>\r\nRCPT TO:<>\r\nDATA\r\nSubject: x\r\n\r\nT\r\n.\r\n";
  const std::string replies = "250 OK\r\n250 OK\r\n501 RCPT TO should not be empty\r\n354 Go ahead\r\n250 OK\r\n";
  EXPECT_EQ(d.raw(one + one + "QUIT\r\n"), replies + replies + "221 Closing Connection\r\n");
  EXPECT_EQ(d.handler.stored.size(), 2u);
}

TEST(Data, ABareLfAfterTheCommandIsRefused) {
  Dialogue d("EHLO x", "MAIL FROM:<a@b.c>", "RCPT TO:<info@local.test>");
  EXPECT_EQ(d.raw("DATA\n"), "500 5.5.2 Lines must end with CRLF\r\n");
}

TEST(Data, OverTheLimitIsReadAwayAndRefused) {
  Dialogue d([](Settings& s) { s.max_message_megabytes = 1; });
  for (const auto* line : {"HELO x", "MAIL FROM:<a@b.c>", "RCPT TO:<info@local.test>", "DATA"}) d.say(line);
  const std::string mebibyte = "\r\n" + std::string(1048576 - 4, 'x');
  EXPECT_EQ(d.raw(mebibyte + "y\r\n.\r\n"), "552 Message too large (maximum size 1MB)\r\n");
  for (const auto* line : {"MAIL FROM:<a@b.c>", "RCPT TO:<info@local.test>", "DATA"}) d.say(line);
  EXPECT_EQ(d.raw(mebibyte + "\r\n.\r\n"), "250 OK\r\n");
  EXPECT_EQ(d.limits.inflight.load(), 0u);
}

TEST(Data, FarOverTheLimitEndsTheSession) {
  Dialogue d([](Settings& s) { s.max_message_megabytes = 1; });
  for (const auto* line : {"EHLO x", "MAIL FROM:<a@b.c>", "RCPT TO:<info@local.test>", "DATA"}) d.say(line);
  EXPECT_EQ(d.raw(std::string(2100000, 'x')), "421 4.3.4 mx.example.com Message too large\r\n");
  EXPECT_TRUE(d.closed());
}

TEST(Data, LoopsAreDetected) {
  const std::string line = "Received: from a by MX.example.com with SMTP; x\r\n",
                    other = "Received: from a by b.test\r\n";
  const auto send = [&](const std::string& header) {
    Dialogue d("HELO x", "MAIL FROM:<a@b.c>", "RCPT TO:<info@local.test>", "DATA");
    return d.say(header + "\r\nReceived: from a by mx.example.com\r\n.");
  };
  EXPECT_EQ(send(line + line + line), "250 OK\r\n");
  EXPECT_EQ(send(line + line + line + line), "550 Loop detected\r\n");
  std::string many;
  for (int i = 0; i < 100; ++i) many += other;
  EXPECT_EQ(send(many), "550 Loop detected\r\n");
}

TEST(Data, HeaderIsChecked) {
  Dialogue d([](Settings& s) { s.max_header_size = 1000; });
  const auto send = [&](std::string_view text) {
    for (const auto* line : {"EHLO x", "MAIL FROM:<a@b.c>", "RCPT TO:<info@local.test>", "DATA"}) d.say(line);
    return d.say(text);
  };
  EXPECT_EQ(send("X: " + std::string(1100, 'x') + "\r\n\r\n."), "552 5.3.4 Message header too large\r\n");
  EXPECT_EQ(send(std::string_view("X: \0\r\n\r\n.", 9)), "554 5.6.0 Invalid character in header\r\n");
  EXPECT_EQ(send(std::string_view("X: y\r\n\r\n\0\r\n.", 12)), "250 2.0.0 OK id=token\r\n");
}

TEST(Data, AFailedCommitIsTemporaryAndTheSessionGoesOn) {
  Dialogue d("HELO x", "MAIL FROM:<a@b.c>", "RCPT TO:<info@local.test>", "DATA");
  d.handler.store_outcome =
      std::unexpected(Refusal{451, "4.3.0", "Temporary server error, please try again later", {}, {}});
  EXPECT_EQ(d.say("."), "451 Temporary server error, please try again later\r\n");
  EXPECT_EQ(d.say("MAIL FROM:<a@b.c>"), "250 OK\r\n");
}

TEST(Data, SenderOfALoginIsChecked) {
  Dialogue d("EHLO x", "AUTH PLAIN " + base64_encode(std::string("\0x\0", 3) + kKey));
  const auto send = [&](const std::string& text) {
    for (const auto* line : {"MAIL FROM:<a@b.c>", "RCPT TO:<bob@elsewhere.test>", "DATA"}) d.say(line);
    return d.say(text);
  };
  EXPECT_EQ(send("Subject: x\r\n."), "530 5.7.1 From/Sender name is not valid (header missing)\r\n");
  EXPECT_EQ(send("From: a@b.c\r\n."), "250 2.0.0 OK id=token\r\n");
  EXPECT_EQ(d.handler.stored[0].domain_id, 7);
  EXPECT_NE(d.handler.stored[0].text.find(" with ESMTPA id TRACE123-2; "), std::string::npos);
}

TEST(Data, PrivacyModeHidesTheClient) {
  Dialogue d("HELO x", "AUTH PLAIN " + base64_encode(std::string("\0x\0", 3) + kKey), "MAIL FROM:<>",
             "RCPT TO:<bob@elsewhere.test>");
  d.handler.privacy = true;
  d.say("DATA");
  d.say("From: a@b.c\r\n.");
  EXPECT_TRUE(d.handler.stored.at(0).text.starts_with("Received: by mx.example.com with SMTP; "));
}

TEST(Data, BareNewlinesMayBeRefused) {
  Dialogue d([](Settings& s) { s.reject_bare_newlines = true; });
  for (const auto* line : {"EHLO x", "MAIL FROM:<a@b.c>", "RCPT TO:<info@local.test>", "DATA"}) d.say(line);
  EXPECT_EQ(d.say("a: b\nc: d\r\n."), "550 5.5.2 Bare <LF> received\r\n");
}

TEST(Data, WaitsForMemory) {
  Dialogue d("EHLO x", "MAIL FROM:<a@b.c>", "RCPT TO:<info@local.test>");
  d.limits.inflight = 600u << 20;
  EXPECT_EQ(d.say("DATA"), "452 4.3.1 Insufficient system storage\r\n");
}

// --- BDAT

TEST(Bdat, ChunksMakeAMessage) {
  Dialogue d("EHLO x", "MAIL FROM:<a@b.c>", "RCPT TO:<info@local.test>");
  EXPECT_EQ(d.raw("BDAT 5\r\n.a: b"), "250 2.0.0 5 octets received\r\n");
  EXPECT_EQ(d.say("DATA"), "503 5.5.1 BDAT in progress\r\n");
  EXPECT_EQ(d.say("MAIL FROM:<a@b.c>"), "503 5.5.1 BDAT in progress\r\n");
  EXPECT_EQ(d.raw("BDAT 3\r\n\n.x"), "250 2.0.0 3 octets received\r\n");
  EXPECT_EQ(d.raw("BDAT 0 LAST\r\n"), "250 2.0.0 OK id=token\r\n");
  EXPECT_EQ(stored_text(d), ".a: b\r\n.x\r\n");
}

TEST(Bdat, PipelinedWithAllElse) {
  Dialogue d("EHLO x");
  EXPECT_EQ(d.raw("MAIL FROM:<a@b.c>\r\nRCPT TO:<info@local.test>\r\nBDAT 6 LAST\r\na: b\r\nQUIT\r\n"),
            "250 2.1.0 OK\r\n250 2.1.5 OK\r\n250 2.0.0 OK id=token\r\n221 2.0.0 Closing Connection\r\n");
}

TEST(Bdat, WithoutRecipientsIsReadAway) {
  Dialogue d("EHLO x");
  EXPECT_EQ(d.raw("BDAT 3 LAST\r\nabcNOOP\r\n"),
            "503 5.5.1 HELO/EHLO, MAIL FROM and RCPT TO before sending data\r\n250 2.0.0 OK\r\n");
  EXPECT_EQ(d.say("BDAT x"), "501 5.5.4 Syntax: BDAT <size> [LAST]\r\n");
  EXPECT_TRUE(d.closed());
}

TEST(Bdat, OverTheLimitKillsTheTransaction) {
  Dialogue d([](Settings& s) { s.max_message_megabytes = 1; });
  for (const auto* line : {"EHLO x", "MAIL FROM:<a@b.c>", "RCPT TO:<info@local.test>"}) d.say(line);
  EXPECT_EQ(d.raw("BDAT 1500000\r\n" + std::string(1500000, 'x')),
            "552 5.3.4 Message too large (maximum size 1MB)\r\n");
  EXPECT_EQ(d.raw("BDAT 3 LAST\r\nabc"), "503 5.5.1 HELO/EHLO, MAIL FROM and RCPT TO before sending data\r\n");
  EXPECT_EQ(d.say("MAIL FROM:<a@b.c>"), "250 2.1.0 OK\r\n");
  EXPECT_TRUE(d.handler.stored.empty());
}

// --- TLS and PROXY

TEST(Tls, IsToldWhyItCannotBeHad) {
  EXPECT_EQ(Dialogue("HELO x").say("STARTTLS"), "502 TLS not available\r\n");
  Dialogue broken([](Settings& s) { s.tls_enabled = true; }, false);
  EXPECT_EQ(broken.say("EHLO x").find("STARTTLS"), std::string::npos);
  EXPECT_EQ(broken.say("STARTTLS"), "454 4.7.0 TLS not available due to temporary reason\r\n");
}

TEST(Tls, ForgetsWhatWasSaidInClear) {
  Dialogue d([](Settings& s) { s.tls_enabled = true; });
  d.say("EHLO x");
  d.say("AUTH PLAIN " + base64_encode(std::string("\0x\0", 3) + kKey));
  EXPECT_EQ(d.say("STARTTLS"), "220 2.0.0 Ready to start TLS\r\n");
  d.handshake();
  EXPECT_EQ(d.say("MAIL FROM:<a@b.c>"), "503 EHLO/HELO first please\r\n");
  EXPECT_EQ(d.say("EHLO x").find("STARTTLS"), std::string::npos);
  EXPECT_EQ(d.say("STARTTLS"), "503 5.5.1 TLS already active\r\n");
  d.say("MAIL FROM:<a@b.c>");
  EXPECT_EQ(d.say("RCPT TO:<x@elsewhere.test>"), "530 5.7.0 Authentication required\r\n");
}

TEST(Tls, LeavesBytesBehindStarttlsAlone) {
  Dialogue d([](Settings& s) { s.tls_enabled = true; });
  d.say("EHLO x");
  EXPECT_EQ(d.session.receive("STARTTLS\r\nMAIL FROM:<x@y>\r\n"), 10u);
  EXPECT_EQ(d.session.want(), Session::Want::StartTls);
}

TEST(Proxy, TellsTheClient) {
  Dialogue d([](Settings& s) { s.proxy_protocol = true; });
  EXPECT_EQ(d.greeting, "");
  EXPECT_EQ(d.raw("PROXY TCP4 1.1.1.1 2.2.2.2 1111 2222\r\nHELO x\r\n"),
            "220 mx.example.com ESMTP Postal/TRACE123\r\n250 mx.example.com\r\n");
  EXPECT_EQ(d.session.client().text(), "1.1.1.1");
}

TEST(Proxy, IsRefusedWhenBrokenOrNotTrusted) {
  Dialogue d([](Settings& s) { s.proxy_protocol = true; });
  EXPECT_EQ(d.raw("PROXY TCP4\r\n"), "502 Proxy Error\r\n");
  EXPECT_TRUE(d.closed());
  Dialogue stranger([](Settings& s) {
    s.proxy_protocol = true;
    s.proxy_trusted = {*IpNetwork::parse("10.0.0.0/8")};
  });
  EXPECT_EQ(stranger.raw("PROXY UNKNOWN\r\n"), "");
  EXPECT_TRUE(stranger.closed());
}

// --- the end

TEST(End, TimeoutsAndShutdownSay421) {
  Dialogue idle("EHLO x");
  idle.session.timed_out();
  EXPECT_EQ(idle.session.output(), "421 4.4.2 mx.example.com Timeout waiting for client input\r\n");
  Dialogue stopping("EHLO x", "MAIL FROM:<a@b.c>");
  stopping.session.shut_down();
  EXPECT_EQ(stopping.session.output(), "421 4.3.2 mx.example.com Service shutting down\r\n");
  EXPECT_TRUE(stopping.closed());
}

TEST(End, AMessageThatIsComingInMayFinish) {
  Dialogue d("EHLO x", "MAIL FROM:<a@b.c>", "RCPT TO:<info@local.test>", "DATA");
  d.session.shut_down();
  EXPECT_EQ(d.say("."), "250 2.0.0 OK id=token\r\n421 4.3.2 mx.example.com Service shutting down\r\n");
  EXPECT_TRUE(d.closed());
}

TEST(End, SessionsAreNotForEver) {
  Dialogue d("EHLO x");
  d.now += 7201s;
  EXPECT_EQ(d.say("NOOP"), "421 4.4.2 mx.example.com Session too long\r\n");
}

TEST(End, MessagesOfAConnectionAreCounted) {
  Dialogue d([](Settings& s) { s.max_messages = 1; });
  for (const auto* line : {"EHLO x", "MAIL FROM:<a@b.c>", "RCPT TO:<info@local.test>", "DATA", "."}) d.say(line);
  EXPECT_EQ(d.say("MAIL FROM:<a@b.c>"), "421 4.7.0 mx.example.com Too many messages on this connection\r\n");
}

}  // namespace
}  // namespace posthaste::smtp::server
