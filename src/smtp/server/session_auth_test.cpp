#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/strings.h"
#include "smtp/server/session.h"
#include "smtp/server/testing.h"

namespace posthaste::smtp::server {
namespace {

using namespace std::string_literals;
using testing::Dialogue;
using testing::kKey;

const std::string kGranted = "235 Granted for org/server\r\n", kInvalid = "535 Invalid credential\r\n",
                  kProtocol = "535 Authenticated failed - protocol error\r\n";

std::string hmac(std::string_view key, std::string_view text) {
  unsigned char digest[16];
  HMAC(EVP_md5(), key.data(), int(key.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest,
       nullptr);
  return hex_encode({reinterpret_cast<const char*>(digest), 16});
}

TEST(AuthPlain, TakesEveryForm) {
  for (const auto& form : {"\0XX\0"s, "org/server\0"s, "authz\0user\0"s, "\0\0"s}) {
    const std::string response = base64_encode(form + kKey);
    EXPECT_EQ(Dialogue("HELO x").say("AUTH PLAIN " + response), kGranted);
    Dialogue d("HELO x");
    EXPECT_EQ(d.say("auth plain"), "334 \r\n");
    EXPECT_EQ(d.say(response), kGranted);
  }
}

TEST(AuthPlain, RefusesInPostalsWords) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {base64_encode("\0user\0nosuchkey"s), kInvalid},
      {base64_encode("user\0nosuchkey"s), kInvalid},
      {base64_encode("one"), kProtocol},
      {base64_encode(kKey), kProtocol},
      {base64_encode("\0"s + kKey + "\0"s), kProtocol},
      {base64_encode("\0user\0"s + to_lower(kKey)), kInvalid},
      {"=", kProtocol},
      {"?!", "501 Cannot decode response\r\n"},
      {"*", "501 Authentication cancelled\r\n"},
  };
  for (const auto& [response, reply] : cases) {
    Dialogue d("HELO x", "AUTH PLAIN");
    EXPECT_EQ(d.say(response), reply) << response;
    EXPECT_EQ(d.say("AUTH PLAIN " + base64_encode("\0x\0"s + kKey)), kGranted);
  }
}

TEST(AuthLogin, LooksAtThePasswordOnly) {
  for (const auto* user : {"eHg=", "not base64 at all!", ""}) {
    Dialogue d("HELO x");
    EXPECT_EQ(d.say("AUTH LOGIN"), "334 VXNlcm5hbWU6\r\n");
    EXPECT_EQ(d.say(user), "334 UGFzc3dvcmQ6\r\n");
    EXPECT_EQ(d.say(base64_encode(kKey)), kGranted);
  }
  Dialogue d("HELO x");
  EXPECT_EQ(d.say("AUTH LOGIN eHg="), "334 UGFzc3dvcmQ6\r\n");
  EXPECT_EQ(d.say(base64_encode("wrong")), kInvalid);
}

TEST(AuthCramMd5, ComparesDigests) {
  const std::string challenge = "<00000000000000000000@mx.example.com>";
  Dialogue d("HELO x");
  EXPECT_EQ(d.say("AUTH CRAM-MD5"), "334 " + base64_encode(challenge) + "\r\n");
  EXPECT_EQ(d.say(base64_encode("org/server " + hmac("wrong", challenge))), "535 Denied\r\n");
  d.say("AUTH CRAM-MD5");
  EXPECT_EQ(d.say(base64_encode("nobody " + hmac(kKey, challenge))), "535 Denied\r\n");
  d.say("AUTH CRAM-MD5");
  EXPECT_EQ(d.say(base64_encode("org/server " + hmac(kKey, challenge))), kGranted);
}

TEST(AuthCramMd5, TakesNonsenseCalmly) {
  for (const auto* response : {"", "eHg="}) {
    Dialogue d("HELO x", "AUTH CRAM-MD5");
    EXPECT_EQ(d.say(response), "535 Denied\r\n");
  }
  Dialogue d("HELO x", "AUTH CRAM-MD5");
  EXPECT_EQ(d.say("*"), "501 Authentication cancelled\r\n");
}

TEST(Auth, HasItsTime) {
  const std::string auth = "AUTH PLAIN " + base64_encode("\0x\0"s + kKey);
  EXPECT_EQ(Dialogue().say(auth), "503 EHLO/HELO first please\r\n");
  Dialogue between("HELO x", "MAIL FROM:<a@b.c>", auth);
  EXPECT_EQ(between.say("RCPT TO:<bob@elsewhere.test>"), "250 OK\r\n");
  EXPECT_EQ(Dialogue("HELO x", auth).say(auth), "503 Already authenticated\r\n");
  EXPECT_EQ(Dialogue("HELO x", "MAIL FROM:<a@b.c>", "RCPT TO:<info@local.test>").say(auth),
            "503 AUTH not allowed during a mail transaction\r\n");
  EXPECT_EQ(Dialogue("EHLO x").say("AUTH XOAUTH2 abc"), "504 5.5.4 Unrecognized authentication type\r\n");
}

TEST(Auth, SurvivesResetAndGreeting) {
  Dialogue d("HELO x", "AUTH PLAIN " + base64_encode("\0x\0"s + kKey), "RSET", "HELO again", "MAIL FROM:<a@b.c>");
  EXPECT_EQ(d.say("RCPT TO:<bob@elsewhere.test>"), "250 OK\r\n");
}

TEST(Auth, MayBeKeptToTls) {
  Dialogue d([](Settings& s) { s.auth_requires_tls = s.tls_enabled = true; });
  EXPECT_EQ(d.say("EHLO x").find("AUTH"), std::string::npos);
  EXPECT_EQ(d.say("AUTH LOGIN"), "538 5.7.11 Encryption required for requested authentication mechanism\r\n");
  d.say("STARTTLS");
  d.handshake();
  EXPECT_NE(d.say("EHLO x").find("250 AUTH CRAM-MD5 PLAIN LOGIN"), std::string::npos);
}

TEST(Auth, MayBeOff) {
  Dialogue d([](Settings& s) { s.auth = Settings::AuthPolicy::Off; });
  EXPECT_EQ(d.say("EHLO x").find("AUTH"), std::string::npos);
  EXPECT_EQ(d.say("AUTH LOGIN"), "502 5.5.1 Invalid/unsupported command\r\n");
}

TEST(AuthFailures, SlowDownAndEndTheSession) {
  Dialogue d("EHLO x");
  const std::string wrong = "AUTH PLAIN " + base64_encode("\0x\0wrong"s);
  EXPECT_EQ(d.say(wrong), "535 5.7.8 Invalid credential\r\n");
  EXPECT_EQ(d.pauses, 1u);
  d.say(wrong);
  EXPECT_EQ(d.say(wrong),
            "535 5.7.8 Invalid credential\r\n421 4.7.0 mx.example.com Too many authentication failures\r\n");
  EXPECT_TRUE(d.closed());
}

TEST(AuthFailures, BlockTheAddressForAWhile) {
  Limits limits;
  const auto ip = *IpAddress::parse("1.2.3.4");
  const AddressTable::AuthRule rule;
  const Time now = Time(1000000s);
  for (int i = 0; i < 19; ++i) EXPECT_FALSE(limits.addresses.auth_failed(ip, now, rule));
  EXPECT_FALSE(limits.addresses.auth_blocked(ip, now));
  EXPECT_TRUE(limits.addresses.auth_failed(ip, now, rule));
  EXPECT_TRUE(limits.addresses.auth_blocked(ip, now + 899s));
  EXPECT_FALSE(limits.addresses.auth_blocked(ip, now + 901s));
}

TEST(AuthFailures, ABlockedAddressStillDelivers) {
  Dialogue d("EHLO x");
  for (int i = 0; i < 20; ++i) d.limits.addresses.auth_failed(*IpAddress::parse("1.2.3.4"), d.now, {});
  EXPECT_EQ(d.say("AUTH LOGIN"), "454 4.7.0 Temporary authentication failure, try again later\r\n");
  d.say("MAIL FROM:<a@b.c>");
  EXPECT_EQ(d.say("RCPT TO:<info@local.test>"), "250 2.1.5 OK\r\n");
}

// smtp-server.md 8.7
TEST(AuthFailures, AnAddressThatIsBlockedAgainAndAgainIsTurnedAway) {
  AddressTable table;
  const auto ip = *IpAddress::parse("1.2.3.4");
  const AddressTable::AuthRule once{.failures = 1};
  const Time now = Time(1000000s);
  table.auth_failed(ip, now, once);
  table.auth_failed(ip, now + 1h, once);
  EXPECT_FALSE(table.turned_away(ip, now + 1h));
  table.auth_failed(ip, now + 2h, once);
  EXPECT_TRUE(table.turned_away(ip, now + 2h + 59min));
  EXPECT_FALSE(table.turned_away(ip, now + 3h + 1min));

  const auto slow = *IpAddress::parse("1.2.3.5");
  for (int i = 0; i < 3; ++i) table.auth_failed(slow, now + i * 13h, once);
  EXPECT_FALSE(table.turned_away(slow, now + 27h));
}

TEST(AddressTable, LetsHalfAMinutesShareArriveAtOnce) {
  AddressTable table;
  const auto ip = *IpAddress::parse("1.2.3.4");
  const Time now = Time(1000000s);
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(table.arrive(ip, now, 60));
  EXPECT_FALSE(table.arrive(ip, now, 60));
  EXPECT_TRUE(table.arrive(ip, now + 1s, 60));
  EXPECT_FALSE(table.arrive(ip, now + 1s, 60));
  EXPECT_TRUE(table.arrive(ip, now + 1s, 0));
}

TEST(Auth, ACredentialHasSoManyConnections) {
  Dialogue d([](Settings& s) { s.max_connections_per_credential = 1; });
  d.say("EHLO x");
  ASSERT_TRUE(d.limits.credentials.connect(1, 1));
  const std::string right = "AUTH PLAIN " + base64_encode("\0x\0"s + kKey);
  EXPECT_EQ(d.say(right), "454 4.7.0 Too many connections for this credential\r\n");
  EXPECT_TRUE(d.closed());
  d.limits.credentials.disconnect(1);

  Dialogue again([](Settings& s) { s.max_connections_per_credential = 1; });
  again.say("EHLO x");
  EXPECT_EQ(again.say(right), "235 2.7.0 Granted for org/server\r\n");
  EXPECT_FALSE(again.limits.credentials.connect(1, 1));
  again.session.closed("quit");
  EXPECT_TRUE(again.limits.credentials.connect(1, 1));
}

TEST(AddressTable, CountsConnectionsAndStaysSmall) {
  AddressTable table(2);
  const auto ip = *IpAddress::parse("1.2.3.4");
  EXPECT_TRUE(table.connect(ip, 1));
  EXPECT_FALSE(table.connect(ip, 1));
  table.disconnect(ip);
  EXPECT_TRUE(table.connect(ip, 1));
  const AddressTable::AuthRule once{.failures = 1};
  for (int i = 0; i < 5; ++i) table.auth_failed(*IpAddress::parse("10.0.0." + std::to_string(i)), Time(1000000s), once);
  EXPECT_FALSE(table.auth_blocked(*IpAddress::parse("10.0.0.0"), Time(1000000s)));
  EXPECT_TRUE(table.auth_blocked(*IpAddress::parse("10.0.0.4"), Time(1000000s)));
  EXPECT_FALSE(table.connect(ip, 1));
}

}  // namespace
}  // namespace posthaste::smtp::server
