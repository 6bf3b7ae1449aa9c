#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "delivery/fake_store.h"
#include "delivery/pipeline.h"

namespace posthaste::delivery {
namespace {

using store::QueueChange;
using Kind = Destination::Kind;
using Status = policy::Verdict::Status;

const Time kNow = from_unix_micros(1'767'225'600'000'000);  // 2026-01-01 00:00:00

class Incoming : public ::testing::Test {
 protected:
  Incoming() {
    key_file_ = std::filesystem::temp_directory_path() / ("signing-" + random_hex(12));
    std::ofstream(key_file_) << trust::SigningKey::generate_rsa_pem(1024);
    config.profile = config::Profile::Postal;
    config.postal.signing_key_path = key_file_.string();
    config.dns.return_path_domain = "rp.example.org";
    signer.emplace(config);
    queued = testing::add_message(db, 1, "sales+news@example.com");
    message().scope = "incoming";
    message().mail_from = "x@rcpt.test";
    message().route_id = 7;
    server().uuid = "server-uuid";
    server().spam_threshold = 5;
    server().spam_failure_threshold = 20;
    route().id = 7;
    route().uuid = "route-uuid";
    route().domain_id = 1;
    route().mode = "Endpoint";
    route().spam_mode = "Mark";
    route().endpoint_type = "SMTPEndpoint";
    route().endpoint_id = 3;
    db.dir->smtp_endpoints[3] = {.id = 3, .server_id = 1, .hostname = "mail.internal", .ssl_mode = "TLS", .port = 465};
    db.dir->http_endpoints[4] = {.id = 4, .server_id = 1, .url = "https://hook.test/in"};
    db.dir->address_endpoints[5] = {.id = 5, .server_id = 1, .address = "someone@other.test"};
  }
  ~Incoming() override { std::filesystem::remove(key_file_); }

  store::Message& message() { return db.messages.at(1); }
  store::Server& server() { return db.dir->servers_by_id.at(1); }
  store::Route& route() { return db.dir->routes_by_id[7]; }

  std::optional<store::Conclusion> before() {
    attempt = {};
    attempt.job.queued = queued;
    auto ended = run_before_send(attempt, tools());
    if (!attempt.awaits_inspection) return ended;
    attempt.inspection = found;
    return run_before_send(attempt, tools());
  }
  std::string decision() {
    const auto ended = before();
    if (!ended) return "send";
    return ended->delivery ? ended->delivery->status + ": " + ended->delivery->details : "no delivery";
  }
  Tools& tools() {
    all.emplace(Tools{db, config, [] { return kNow; }, [] { return 0.0; }, *signer, limits, {0.0, 1.0}});
    return *all;
  }

  testing::FakeStore db;
  config::Config config;
  std::optional<Signer> signer;
  SendLimits limits{db};
  std::optional<Tools> all;
  store::QueuedMessage queued;
  store::Inspection found;
  Attempt attempt;

 private:
  std::filesystem::path key_file_;
};

TEST_F(Incoming, NamesItsStepsInTheOrderOfTheReference) {
  std::vector<std::string_view> names;
  for (const auto& step : incoming_pipeline()) names.push_back(step.name);
  const auto at = [&](std::string_view name) { return std::ranges::find(names, name) - names.begin(); };
  EXPECT_LT(at("hold_while_suspended"), at("count_received"));
  EXPECT_LT(at("inspect"), at("fail_above_spam_threshold"));
  EXPECT_LT(at("fail_above_spam_threshold"), at("hold_in_development"));
  EXPECT_LT(at("hold_in_development"), at("find_route"));
  EXPECT_LT(at("follow_spam_mode"), at("follow_accept_mode"));
  EXPECT_LT(at("find_endpoint"), at("send"));
}

TEST_F(Incoming, AcceptModeProcesses) {
  route().mode = "Accept";
  const auto ended = before();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->delivery->status, "Processed");
  EXPECT_EQ(ended->delivery->details, "Message has been accepted but not sent to any endpoints.");
  EXPECT_EQ(ended->queue, QueueChange::Done);
  EXPECT_TRUE(ended->inspection) << "what was found is stored with it";
  EXPECT_TRUE(ended->prepend_headers.starts_with("X-Postal-Spam: no\r\n"));
  EXPECT_EQ(db.received, 1);
}

TEST_F(Incoming, HoldModeHoldsUntilSomebodyReleasesIt) {
  route().mode = "Hold";
  EXPECT_EQ(decision(), "Held: Message has been accepted but not sent to any endpoints.");
  EXPECT_EQ(before()->hold_expiry, kNow + std::chrono::days(7));
  queued.manual = true;
  EXPECT_EQ(decision(), "Processed: Message has been processed.");
}

TEST_F(Incoming, BounceModeFails) {
  message().mail_from.clear();
  for (const char* mode : {"Bounce", "Reject"}) {
    route().mode = mode;
    EXPECT_EQ(decision(), "HardFail: Message has been bounced because the route asks for this.");
  }
}

TEST_F(Incoming, HoldsInDevelopmentUnlessReleased) {
  server().mode = "Development";
  EXPECT_EQ(decision(), "Held: Server is in development mode.");
  queued.manual = true;
  EXPECT_EQ(decision(), "send");
}

TEST_F(Incoming, HoldsWhileSuspendedEvenIfReleased) {
  db.dir->is_suspended = true;
  queued.manual = true;
  EXPECT_EQ(decision(),
            "Held: Mail server has been suspended. No e-mails can be processed at present. Contact support for "
            "assistance.");
  EXPECT_EQ(db.received, 0);
}

TEST_F(Incoming, FailsWithoutRouteEndpointOrContent) {
  db.dir->smtp_endpoints.clear();
  EXPECT_EQ(decision(), "HardFail: Invalid endpoint for route.");
  db.dir->routes_by_id.clear();
  EXPECT_EQ(decision(), "HardFail: Message does not have a route and/or endpoint available for delivery.");
  message().raw_table.clear();
  EXPECT_EQ(decision(), "HardFail: Raw message has been removed. Cannot send message.");
}

TEST_F(Incoming, JudgesSpamByTheServerAndThenByTheRoute) {
  config.spamd.enabled = true;
  found.checks = {{"RULE", "a rule", 6}};
  found.score = 6;
  EXPECT_EQ(decision(), "send") << "marked, no more";
  EXPECT_TRUE(attempt.message.spam);
  route().spam_mode = "Quarantine";
  EXPECT_EQ(decision(), "Held: Message placed into quarantine.");
  route().spam_mode = "Fail";
  EXPECT_EQ(decision(), "HardFail: Message is spam and the route specifies it should be failed.");
  queued.manual = true;
  EXPECT_EQ(decision(), "send") << "released";
  found.score = 20;
  EXPECT_EQ(decision(),
            "HardFail: Message's spam score is higher than the failure threshold for this server. Threshold is "
            "currently 20.0.");
}

TEST_F(Incoming, CountsAMessageOnce) {
  EXPECT_EQ(decision(), "send");
  message().last_delivery_attempt = kNow - 5min;
  queued.attempts = 1;
  EXPECT_EQ(decision(), "send");
  EXPECT_EQ(db.received, 1);
}

TEST_F(Incoming, ForwardsToExactlyTheHostOfAnSmtpEndpoint) {
  EXPECT_EQ(decision(), "send");
  EXPECT_EQ(attempt.destination.kind, Kind::Host);
  EXPECT_EQ(attempt.destination.name, "mail.internal");
  EXPECT_EQ(attempt.destination.port, 465);
  EXPECT_EQ(attempt.destination.tls, smtp::client::TlsMode::Tls);
  EXPECT_EQ(attempt.envelope.rcpt_to, "sales+news@example.com");
  EXPECT_TRUE(attempt.envelope.mail_from.starts_with("abcdef+f")) << attempt.envelope.mail_from;
  EXPECT_TRUE(attempt.envelope.mail_from.ends_with("@rp.example.org"));
  EXPECT_EQ(attempt.trace_header, "X-Posthaste-Forwarded: route-uuid\r\n");
  EXPECT_EQ(attempt.added_headers.find("DKIM-Signature"), std::string::npos);
}

TEST_F(Incoming, TheRoutesDomainGivesTheReturnPath) {
  db.dir->domains_by_id[1].return_path_status = "OK";
  config.dns.custom_return_path_prefix = "psrp";
  EXPECT_EQ(decision(), "send");
  EXPECT_TRUE(attempt.envelope.mail_from.ends_with("@psrp.example.com")) << attempt.envelope.mail_from;
  message().bounce = true;
  EXPECT_EQ(decision(), "send");
  EXPECT_EQ(attempt.envelope.mail_from, "") << "a bounce must not come back";
}

TEST_F(Incoming, ForwardsToTheAddressOfAnAddressEndpoint) {
  message().endpoint_type = "AddressEndpoint";
  message().endpoint_id = 5;
  EXPECT_EQ(decision(), "send") << "the message's own endpoint wins over the route's";
  EXPECT_EQ(attempt.destination.kind, Kind::Domain);
  EXPECT_EQ(attempt.destination.name, "other.test");
  EXPECT_EQ(attempt.envelope.rcpt_to, "someone@other.test");
}

TEST_F(Incoming, StopsWhatARouteHasForwardedBefore) {
  const std::string content = "X-Posthaste-Forwarded: route-uuid\r\nFrom: a@b.test\r\n\r\nHi\r\n";
  db.raws.insert_or_assign(1, store::RawMessage(content));
  EXPECT_EQ(decision(), "HardFail: Mail loop detected: this message has been forwarded by this route before.");
  db.raws.insert_or_assign(1, store::RawMessage("X-Posthaste-Forwarded: another\r\n\r\nHi\r\n"));
  EXPECT_EQ(decision(), "send");
}

TEST_F(Incoming, TheModeIsReadWhenTheMessageIsProcessed) {
  message().endpoint_type = "SMTPEndpoint";
  message().endpoint_id = 3;
  route().mode = "Accept";
  EXPECT_EQ(decision(), "Processed: Message has been accepted but not sent to any endpoints.");
}

TEST_F(Incoming, NotesTheUseOfAnEndpointThatAnswered) {
  const auto conclude = [&](Status status) {
    EXPECT_FALSE(before());
    attempt.verdict.emplace();
    attempt.verdict->status = status;
    attempt.tells_sender = false;
    run_after_send(attempt, tools());
    return db.used_endpoints.size();
  };
  EXPECT_EQ(conclude(Status::SoftFail), 0U);
  EXPECT_EQ(conclude(Status::Sent), 1U);
  EXPECT_EQ(conclude(Status::HardFail), 2U);
  EXPECT_EQ(db.used_endpoints.front(), std::pair(std::string("SMTPEndpoint"), store::Id(3)));
}

TEST(DestinationOfARow, IsTheEndpointInItsBatchKeyOrElseItsRoutes) {
  testing::FakeDirectory directory;
  directory.smtp_endpoints[3] = {.id = 3, .hostname = "Mail.Internal", .ssl_mode = "Auto", .port = 25};
  directory.http_endpoints[4] = {.id = 4};
  store::Route& route = directory.routes_by_id[7];
  route.mode = "Endpoint";
  route.endpoint_type = "SMTPEndpoint";
  route.endpoint_id = 3;
  store::QueuedMessage queued;
  queued.domain = "example.com";
  const auto key = [&](std::string batch, bool relays = false) {
    queued.batch_key = std::move(batch);
    return lane_key(destination_of(queued, directory), std::nullopt, relays);
  };
  EXPECT_EQ(key("outgoing-example.com"), (LaneKey{Kind::Domain, "example.com", {}}));
  EXPECT_EQ(key("outgoing-example.com", true), (LaneKey{Kind::Domain, "(relays)", {}}));
  EXPECT_EQ(key("incoming-rt:7-ep:4-HTTPEndpoint"), (LaneKey{Kind::Http, "4", {}}));
  EXPECT_EQ(key("incoming-rt:7-ep:3-SMTPEndpoint", true), (LaneKey{Kind::Host, "mail.internal:25 Auto", {}}));
  EXPECT_EQ(key("incoming-rt:7-ep:9-HTTPEndpoint").kind, Kind::None);
  queued.route_id = 7;
  EXPECT_EQ(key("incoming-rt:7-ep:-").kind, Kind::Host);
  for (const char* odd :
       {"incoming-", "incoming-rt:-ep:", "incoming-ep:x-HTTPEndpoint", "incoming-rt:1-ep:99999999999999999999-X"})
    EXPECT_NO_THROW(key(odd));
}

}  // namespace
}  // namespace posthaste::delivery
