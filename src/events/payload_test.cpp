#include "events/payload.h"

#include <gtest/gtest.h>

#include "base/strings.h"

namespace posthaste::events {

namespace {

store::Message message() {
  store::Message m;
  m.id = 12;
  m.token = "abcdefghijklmnop";
  m.scope = "outgoing";
  m.message_id = "m@example.com";
  m.rcpt_to = "bob@example.net";
  m.mail_from = "a@example.com";
  m.subject = "<Hi> & bye";
  m.timestamp = from_unix_micros(1700000000123456);
  return m;
}

constexpr std::string_view kHash =
    R"({"id":12,"token":"abcdefghijklmnop","direction":"outgoing","message_id":"m@example.com","to":"bob@example.net",)"
    R"("from":"a@example.com","subject":"\u003cHi\u003e \u0026 bye","timestamp":1700000000.123456,)"
    R"("spam_status":"NotChecked","tag":null})";

}  // namespace

TEST(Payload, HashOfAMessage) {
  EXPECT_EQ(message_hash(message()), kHash);
  auto m = message();
  m.mail_from = m.subject = m.message_id = "";
  m.tag = "weekly";
  m.inspected = true;
  m.timestamp = from_unix_micros(1700000000000000);
  const auto hash = message_hash(m);
  EXPECT_TRUE(hash.contains(R"("message_id":null)"));
  EXPECT_TRUE(
      hash.contains(R"("from":null,"subject":null,"timestamp":1700000000.0,"spam_status":"NotSpam","tag":"weekly")"))
      << hash;
  m.spam = true;
  EXPECT_TRUE(message_hash(m).contains(R"("spam_status":"Spam")"));
}

TEST(Payload, OfATransaction) {
  store::Delivery d;
  d.status = "Sent";
  d.details = "Message for bob@example.net accepted";
  d.output = "250 2.0.0 OK";
  d.sent_with_ssl = true;
  d.seconds = 0.2249;
  d.timestamp = from_unix_micros(1700000001500000);
  EXPECT_EQ(status_payload(message(), d),
            R"({"message":)" + std::string(kHash) +
                R"(,"status":"Sent","details":"Message for bob@example.net accepted","output":"250 2.0.0 OK",)"
                R"("sent_with_ssl":true,"timestamp":1700000001.5,"time":0.22})");
}

TEST(Payload, WithoutATransactionThereIsNeitherTlsNorTime) {
  store::Delivery d;
  d.status = "Held";
  const auto text = status_payload(message(), d);
  EXPECT_TRUE(text.contains(R"("status":"Held","details":null,"output":"","sent_with_ssl":null,)")) << text;
  EXPECT_TRUE(text.ends_with(R"("time":null})")) << text;
}

TEST(Payload, OutputIsCleanedAndCutAsPostalDoes) {
  store::Delivery d;
  d.status = "SoftFail";
  for (int i = 0; i < 600; ++i) d.output += "\xc3\xa9";
  d.output[0] = '\xff';
  const auto text = status_payload(message(), d);
  std::string expected = "\xef\xbf\xbd\xef\xbf\xbd";  // both bytes of the first letter are wrong now
  for (int i = 0; i < 510; ++i) expected += "\xc3\xa9";
  EXPECT_TRUE(text.contains("\"output\":\"" + expected + "\"")) << text;
}

TEST(Payload, NamesBothMessagesOfABounce) {
  auto bounce = message();
  bounce.id = 13;
  store::BounceReport report;
  report.type = "policy";
  report.status = "5.7.1";
  report.diagnostic = "554 no\xff";
  report.match = "verp";
  report.reported_at = Time(1700000000s);
  const auto text = bounced_payload(message(), bounce, report);
  EXPECT_TRUE(text.starts_with(R"({"original_message":)" + std::string(kHash) + R"(,"bounce":{"id":13,)")) << text;
  EXPECT_TRUE(text.ends_with(
      R"(,"details":"We've received a bounce message for this e-mail. See \u003cmsg:13\u003e for details.",)"
      "\"output\":\"554 no\xef\xbf\xbd\","
      R"("bounce_type":"soft","bounce_report":{"type":"policy","action":null,"status":"5.7.1",)"
      "\"diagnostic\":\"554 no\xef\xbf\xbd\","
      R"("remote_mta":null,"recipient":null,"reported_at":1700000000.0,"match":"verp"}})"))
      << text;
}

TEST(Payload, OfAClickAndALoad) {
  EXPECT_EQ(clicked_payload(message(), {"https://e.com/?a=1&b=2", "aB3", "198.51.100.7", "x\x7f\xc2\x85"}),
            R"({"message":)" + std::string(kHash) +
                R"(,"url":"https://e.com/?a=1\u0026b=2","token":"aB3","ip_address":"198.51.100.7",)"
                R"("user_agent":"x\u007f\u0085"})");
  EXPECT_TRUE(loaded_payload(message(), {"::1", ""}).ends_with(R"(,"ip_address":"::1","user_agent":null})"));
}

TEST(Payload, ATooLongOneIsCutInItsValues) {
  const auto text = clicked_payload(message(), {std::string(100'000, 'u'), "t", "::1", std::string(70'000, 'a')});
  EXPECT_LE(text.size(), kMostPayload);
  EXPECT_TRUE(text.contains("\"url\":\"" + std::string(4096, 'u') + "\",\"token\":\"t\""));
}

TEST(Payload, EnvelopeHasFourKeysInOrder) {
  EXPECT_EQ(envelope("MessageSent", from_unix_micros(1700000000000000), R"({"a":1})", "u-u"),
            R"({"event":"MessageSent","timestamp":1700000000.0,"payload":{"a":1},"uuid":"u-u"})");
}

}  // namespace posthaste::events
