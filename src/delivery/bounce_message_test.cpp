#include "delivery/bounce_message.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "delivery/fake_store.h"
#include "delivery/pipeline.h"
#include "mail/header.h"

namespace posthaste::delivery {
namespace {

const Time kNow = from_unix_micros(1'767'225'600'000'000);  // 2026-01-01 00:00:00

// Message 1 came from ann@far.test for info@example.com.
class BounceMessage : public ::testing::Test {
 protected:
  BounceMessage() {
    config.dns.return_path_domain = "rp.example.org";
    config.postal.smtp_hostname = "smtp.example.org";
    config.postal.web_hostname = "postal.example.org";
    signer.emplace(config);
    testing::add_message(db, 1, "info+t@example.com");
    store::Route& route = db.dir->routes_by_id[3];
    route.id = 3;
    route.name = "info";
    route.domain_id = 1;
    message().scope = "incoming";
    message().mail_from = "ann@far.test";
    message().message_id = "mine@far.test";
    message().route_id = 3;
    message().timestamp = kNow - 1min;
    write("From: ann@far.test\r\nSubject: Question\r\n\r\nHi\r\n");
  }

  store::Message& message() { return db.messages.at(1); }
  void write(std::string bytes) { db.raws.insert_or_assign(1, store::RawMessage(std::move(bytes))); }
  void write_with(const std::string& field) { write("From: ann@far.test\r\n" + field + "\r\n\r\nHi\r\n"); }

  std::optional<store::Id> send(const BounceReason& reason = reason_of_route()) {
    Attempt attempt;
    attempt.job.queued.server_id = 1;
    attempt.message = message();
    attempt.directory = db.dir;
    attempt.server = db.dir->server(1);
    Tools tools{db, config, [this] { return now; }, [] { return 0.0; }, *signer, limits, {0.0, 1.0}};
    return send_bounce(attempt, tools, reason);
  }
  std::string bytes(store::Id id) { return std::string(db.raws.at(id).bytes()); }

  testing::FakeStore db;
  config::Config config;
  std::optional<Signer> signer;
  SendLimits limits{db};
  Time now = kNow;
};

TEST_F(BounceMessage, IsStoredAsOutgoingMailOfTheServer) {
  const auto id = send();
  ASSERT_TRUE(id);
  const store::Message& bounce = db.messages.at(*id);
  EXPECT_EQ(bounce.scope, "outgoing");
  EXPECT_TRUE(bounce.bounce);
  EXPECT_EQ(bounce.bounce_for_id, 1);
  EXPECT_EQ(bounce.rcpt_to, "ann@far.test");
  EXPECT_EQ(bounce.mail_from, "info@example.com");
  EXPECT_EQ(bounce.domain_id, 1);
  EXPECT_EQ(bounce.subject, "Mail Delivery Failed (Question)");
  EXPECT_EQ(bounce.token.size(), 16U);
  EXPECT_TRUE(bounce.message_id.ends_with("@rp.example.org"));
  const auto text = bytes(*id);
  EXPECT_NE(text.find("Message Token: tokentokentoken1@abcdef\r\n"), std::string::npos);
  EXPECT_NE(text.find("postmaster@example.com"), std::string::npos);
  EXPECT_NE(text.find("Status: 5.2.1\r\n"), std::string::npos);
}

TEST_F(BounceMessage, IsMadeOnce) {
  const auto id = send();
  EXPECT_EQ(send(), id);
  EXPECT_EQ(db.messages.size(), 2U);
}

TEST_F(BounceMessage, NamesTheServersPostmaster) {
  db.dir->servers_by_id.at(1).postmaster_address = "help@desk.test";
  EXPECT_NE(bytes(*send()).find("help@desk.test"), std::string::npos);
}

TEST_F(BounceMessage, OfAWildcardRouteComesFromTheAddressThatWasMeant) {
  db.dir->routes_by_id.at(3).name = "*";
  EXPECT_EQ(db.messages.at(*send()).mail_from, "info+t@example.com");
}

TEST_F(BounceMessage, IsNotSentWhereNobodyCouldUseIt) {
  for (const auto* sender : {"", " ", "MAILER-DAEMON@far.test", "postmaster@far.test", "no address"}) {
    message().mail_from = sender;
    EXPECT_FALSE(send()) << sender;
  }
}

TEST_F(BounceMessage, IsNotSentToMachinesAndLists) {
  for (const auto* field : {"Auto-Submitted: auto-generated", "auto-submitted: auto-replied (away)", "Precedence: bulk",
                            "Precedence: list", "Precedence: Junk", "List-Id: <list.far.test>"}) {
    write_with(field);
    EXPECT_FALSE(send()) << field;
  }
  write_with("Auto-Submitted: no");
  EXPECT_TRUE(send());
}

TEST_F(BounceMessage, IsNotSentForSpamAndBounces) {
  message().spam = true;
  EXPECT_FALSE(send());
  message().spam = false;
  message().bounce = true;
  EXPECT_FALSE(send());
}

TEST_F(BounceMessage, TellsOneSenderTenTimesInAnHour) {
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(send().has_value(), i < 10) << i;
    for (auto& [id, other] : db.messages)
      if (other.bounce_for_id == 1) other.bounce_for_id = 99;  // of other messages
  }
  message().mail_from = "bob@far.test";
  EXPECT_TRUE(send());
  message().mail_from = "ann@far.test";
  now += 61min;
  for (auto& [id, other] : db.messages)
    if (other.bounce_for_id == 1) other.bounce_for_id = 99;
  EXPECT_TRUE(send());
}

TEST_F(BounceMessage, SaysWhatTheRemoteServerSaid) {
  Attempt attempt;
  attempt.directory = db.dir;
  attempt.verdict.emplace();
  attempt.verdict->status = policy::Verdict::Status::HardFail;
  attempt.verdict->code = 550;
  attempt.verdict->output = "550-5.1.1 no\n550 5.1.1 such user";
  const auto reason = reason_of_verdict(attempt);
  EXPECT_EQ(reason.status, "5.1.1");
  EXPECT_EQ(reason.diagnostic, "smtp; 550-5.1.1 no 550 5.1.1 such user");

  attempt.destination.kind = Destination::Kind::Http;
  attempt.verdict->code = 404;
  EXPECT_EQ(reason_of_verdict(attempt).diagnostic, "X-Postal; HTTP 404");
  EXPECT_EQ(reason_of_verdict(attempt).status, "5.0.0");
}

}  // namespace
}  // namespace posthaste::delivery
