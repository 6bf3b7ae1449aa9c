#include "smtp/client/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "smtp/client/authentication.h"

namespace posthaste::smtp::client {
namespace {

Capabilities capabilities(std::vector<std::string> lines) {
  proto::ReceivedReply reply;
  reply.lines = {"mx.test at your service"};
  reply.lines.insert(reply.lines.end(), lines.begin(), lines.end());
  return parse_capabilities(reply);
}

TransactionLines lines(const Envelope& envelope, const Capabilities& offered, Content content = {100, false}) {
  auto made = transaction_lines(envelope, content, offered);
  return made ? *made : TransactionLines{made.error().text, ""};
}

const Envelope kPlain{"abc@rp.test", "john@x.test"};

TEST(Capabilities, AreReadInAnyCase) {
  const auto found = capabilities({"Size 52428800", "8bitmime", "PIPELINING", "STARTTLS", "auth plain Login",
                                   "SMTPUTF8", "LIMITS MAILMAX=20 RCPTMAX=100", "X-ELSE"});
  EXPECT_TRUE(found.size && found.eight_bit_mime && found.pipelining && found.starttls && found.smtputf8);
  EXPECT_EQ(found.max_size, 52428800u);
  EXPECT_EQ(found.max_transactions, 20);
  EXPECT_TRUE(found.offers_auth("PLAIN") && found.offers_auth("LOGIN"));
  EXPECT_FALSE(found.offers_auth("CRAM-MD5"));
}

TEST(Capabilities, TheServersNameIsNone) {
  proto::ReceivedReply reply;
  reply.lines = {"PIPELINING"};
  EXPECT_FALSE(parse_capabilities(reply).pipelining);
}

TEST(Capabilities, OldFormOfAuth) { EXPECT_TRUE(capabilities({"AUTH=LOGIN PLAIN"}).offers_auth("LOGIN")); }

TEST(Lines, ArePlainWhereNothingIsOffered) {
  EXPECT_EQ(lines(kPlain, {}, {100, true}).mail, "MAIL FROM:<abc@rp.test>");
  EXPECT_EQ(lines(kPlain, {}).rcpt, "RCPT TO:<john@x.test>");
  EXPECT_EQ(lines({"", "john@x.test"}, {}).mail, "MAIL FROM:<>");
}

TEST(Lines, UseWhatIsOffered) {
  const auto offered = capabilities({"SIZE", "8BITMIME", "SMTPUTF8"});
  EXPECT_EQ(lines(kPlain, offered, {100, false}).mail, "MAIL FROM:<abc@rp.test> SIZE=100");
  EXPECT_EQ(lines(kPlain, offered, {100, true}).mail, "MAIL FROM:<abc@rp.test> SIZE=100 BODY=8BITMIME");
  EXPECT_EQ(lines({"a@b.test", "j\xc3\xbcrgen@x.test"}, offered).mail,
            "MAIL FROM:<a@b.test> SIZE=100 BODY=8BITMIME SMTPUTF8");
  EXPECT_EQ(lines({"a@b.test", "j\xc3\xbcrgen@x.test"}, offered).rcpt, "RCPT TO:<j\xc3\xbcrgen@x.test>");
  EXPECT_EQ(lines({"a@b.test", "c@d.test", true}, offered).mail,
            "MAIL FROM:<a@b.test> SIZE=100 BODY=8BITMIME SMTPUTF8");
}

TEST(Lines, ForeignDomainsNeedNoExtension) {
  EXPECT_EQ(lines({"a@b.test",
                   "john@b\xc3\xbc"
                   "cher.test"},
                  {})
                .rcpt,
            "RCPT TO:<john@xn--bcher-kva.test>");
}

TEST(Lines, AreNotMadeForAHostThatCannotTakeTheMessage) {
  const auto small = capabilities({"SIZE 1000"});
  EXPECT_EQ(transaction_lines(kPlain, {1001, false}, small).error().kind, ErrorKind::Limit);
  EXPECT_TRUE(transaction_lines(kPlain, {1000, false}, small));
  EXPECT_TRUE(transaction_lines(kPlain, {1u << 30, false}, capabilities({"SIZE 0"})));
  const auto foreign = transaction_lines({"a@b.test", "j\xc3\xbcrgen@x.test"}, {}, small);
  EXPECT_EQ(foreign.error().text,
            "The recipient's mail server does not support internationalized addresses (SMTPUTF8).");
}

TEST(Lines, AreNotMadeFromAddressesThatWouldSayMore) {
  const std::string bad[] = {"a@b\r\nRCPT TO:<c@d>", "a\n@b", std::string("a\0@b", 4),
                             "a@b> SIZE=1",          "<a@b",  "\"a@b",
                             std::string(255, 'x'),  "",      "a\t@b"};
  for (const auto& address : bad) {
    const auto made = transaction_lines({"a@b.test", address}, {}, {});
    ASSERT_FALSE(made) << address;
    EXPECT_EQ(made.error().kind, ErrorKind::Invalid);
  }
  EXPECT_TRUE(transaction_lines({"a@b.test", "\"a>b\\\"\"@x.test"}, {}, {}));
  EXPECT_TRUE(transaction_lines({"a@b.test", std::string(245, 'x') + "@x.test"}, {}, {}));
}

TEST(Content, IsMeasuredOverAllPieces) {
  EXPECT_EQ(measure({"12345678", "123"}).bytes, 11u);
  EXPECT_FALSE(measure({"1234567890", "123"}).eight_bit);
  EXPECT_TRUE(measure({"plain", "123456789012345\xc3\xbc"}).eight_bit);
  EXPECT_TRUE(measure({"1234567\xff"}).eight_bit);
}

TEST(Mechanism, DoesNotShowThePasswordInClear) {
  const auto all = capabilities({"AUTH LOGIN CRAM-MD5 PLAIN"});
  EXPECT_EQ(choose_mechanism(all, true), Mechanism::Plain);
  EXPECT_EQ(choose_mechanism(all, false), Mechanism::CramMd5);
  EXPECT_EQ(choose_mechanism(capabilities({"AUTH LOGIN"}), true), Mechanism::Login);
  EXPECT_EQ(choose_mechanism(capabilities({"AUTH LOGIN PLAIN"}), false), std::nullopt);
}

TEST(CramMd5, AnswersTheExampleOfRfc2195) {
  EXPECT_EQ(cram_md5_response("PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+", "tim", "tanstaaftanstaaf"),
            "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw");
}

}  // namespace
}  // namespace posthaste::smtp::client
