#include "delivery/pipeline.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "delivery/fake_store.h"

namespace posthaste::delivery {
namespace {

using store::QueueChange;
using Status = policy::Verdict::Status;

const Time kNow = from_unix_micros(1'767'225'600'000'000);  // 2026-01-01 00:00:00

class Pipeline : public ::testing::Test {
 protected:
  Pipeline() {
    key_file_ = std::filesystem::temp_directory_path() / ("signing-" + random_hex(12));
    std::ofstream(key_file_) << trust::SigningKey::generate_rsa_pem(1024);
    config.profile = config::Profile::Postal;
    config.postal.signing_key_path = key_file_.string();
    config.dns.return_path_domain = "rp.example.org";
    config.dns.dkim_identifier = "postal";
    signer.emplace(config);
    queued = testing::add_message(db, 1, "john@x.test");
  }
  ~Pipeline() override { std::filesystem::remove(key_file_); }

  store::Message& message() { return db.messages.at(1); }
  store::Server& server() { return db.dir->servers_by_id.at(1); }

  // The conclusion of the steps before sending; nothing if it would be sent.
  std::optional<store::Conclusion> before() {
    attempt = {};
    attempt.job.queued = queued;
    return run_before_send(attempt, tools());
  }
  std::string decision() {
    const auto ended = before();
    if (!ended) return "send";
    return ended->delivery ? ended->delivery->status + ": " + ended->delivery->details : "no delivery";
  }
  // The conclusion after sending came to this.
  store::Conclusion after(Status status, policy::Class classification = policy::Class::Unknown) {
    EXPECT_FALSE(before());
    attempt.verdict.emplace();
    attempt.verdict->status = status;
    attempt.verdict->details = "What the remote host did";
    attempt.verdict->classification = classification;
    return run_after_send(attempt, tools());
  }
  Tools& tools() {
    all.emplace(Tools{db, config, [this] { return now; }, [] { return 0.0; }, *signer, limits, {0.0, 1.0}});
    return *all;
  }
  void earlier(const std::string& status, const std::string& details, Duration ago, std::optional<int> code = {}) {
    store::Delivery row;
    row.status = status;
    row.details = details;
    row.code = code;
    row.timestamp = now - ago;
    db.rows[1].push_back(row);
  }

  testing::FakeStore db;
  config::Config config;
  std::optional<Signer> signer;
  SendLimits limits{db};
  std::optional<Tools> all;
  store::QueuedMessage queued;
  Attempt attempt;
  Time now = kNow;

 private:
  std::filesystem::path key_file_;
};

TEST_F(Pipeline, NamesItsStepsInTheOrderOfTheReference) {
  std::vector<std::string_view> names;
  for (const auto& step : outgoing_pipeline()) names.push_back(step.name);
  const auto at = [&](std::string_view name) { return std::ranges::find(names, name) - names.begin(); };
  EXPECT_LT(at("hold_while_suspended"), at("fail_after_last_attempt"));
  EXPECT_LT(at("hold_by_credential"), at("hold_if_suppressed"));
  EXPECT_LT(at("hold_if_suppressed"), at("add_headers"));
  EXPECT_LT(at("check_send_limit"), at("hold_in_development"));
  EXPECT_LT(at("send"), at("suppress_after_hard_fails"));
}

TEST_F(Pipeline, SendsAMessageThatNothingIsWrongWith) {
  EXPECT_EQ(decision(), "send");
  EXPECT_EQ(attempt.envelope.rcpt_to, "john@x.test");
  EXPECT_TRUE(attempt.envelope.mail_from.starts_with("abcdef+b"));
  EXPECT_TRUE(attempt.envelope.mail_from.ends_with("@rp.example.org"));
  EXPECT_TRUE(attempt.added_headers.starts_with(
      "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n\td=rp.example.org;"));
  EXPECT_TRUE(attempt.added_headers.ends_with("\r\nX-Postal-MsgID: tokentokentoken1\r\n"));
}

TEST_F(Pipeline, RemovesRowsWhoseMessageIsGone) {
  db.messages.clear();
  const auto ended = before();
  ASSERT_TRUE(ended);
  EXPECT_FALSE(ended->delivery);
  EXPECT_EQ(ended->queue, QueueChange::Done);
}

TEST_F(Pipeline, RemovesRowsWhoseMessageHasBeenSent) {
  message().status = "Sent";
  const auto ended = before();
  ASSERT_TRUE(ended);
  EXPECT_FALSE(ended->delivery);
  EXPECT_EQ(ended->queue, QueueChange::Done);
}

TEST_F(Pipeline, SendsWhatHasBeenSentOnceMoreByHand) {
  message().status = "Sent";
  queued.manual = true;
  EXPECT_FALSE(before());
}

TEST_F(Pipeline, HoldsWhileTheMailServerIsSuspended) {
  db.dir->is_suspended = true;
  queued.manual = true;
  EXPECT_EQ(decision(),
            "Held: Mail server has been suspended. No e-mails can be processed at present. Contact support for "
            "assistance.");
  EXPECT_EQ(before()->hold_expiry, now + std::chrono::days(7));
  EXPECT_EQ(before()->queue, QueueChange::Done);
}

TEST_F(Pipeline, FailsAfterTheLastAttemptAndSuppresses) {
  queued.attempts = 18;
  earlier("SoftFail", "Temporary SMTP delivery error", 1h, 451);
  EXPECT_EQ(
      decision(),
      "HardFail: Maximum number of delivery attempts (18) has been reached. Added john@x.test to suppression list "
      "because delivery has failed 18 times.");
  EXPECT_EQ(before()->suppress_address, "john@x.test");
  EXPECT_EQ(before()->suppress_reason, "too many soft fails");
}

TEST_F(Pipeline, BlamesNoRecipientForANetworkThatWasDown) {
  queued.attempts = 18;
  earlier("SoftFail", "No SMTP servers were available for x.test. Tried mx.x.test.", 1h);
  EXPECT_EQ(decision(), "HardFail: Maximum number of delivery attempts (18) has been reached.");
  EXPECT_EQ(before()->suppress_address, "");
}

TEST_F(Pipeline, FailsWithoutTheRawMessage) {
  message().raw_table.clear();
  EXPECT_EQ(decision(), "HardFail: Raw message has been removed. Cannot send message.");
  message().raw_table = "raw-2026-01-01";
  db.raws.clear();
  EXPECT_EQ(decision(), "HardFail: Raw message has been removed. Cannot send message.") << "never an empty mail";
}

TEST_F(Pipeline, FailsWhatItDoesNotUnderstand) {
  message().scope = "weird";
  EXPECT_EQ(decision(), "HardFail: Scope weird is not valid");
  message().scope = "outgoing";
  message().domain_id = 99;
  EXPECT_EQ(decision(), "HardFail: Message's domain no longer exist");
  message().domain_id = 1;
  message().rcpt_to = "  ";
  EXPECT_EQ(decision(), "HardFail: Message doesn't have an RCPT to");
}

TEST_F(Pipeline, TakesTheLastTagHeaderIfThereIsNoTag) {
  db.raws.insert_or_assign(
      1, store::RawMessage("X-Postal-Tag: a\r\nFrom: a@example.com\r\nX-Postal-Tag: b\r\n\r\nHi\r\n"));
  EXPECT_EQ(after(Status::Sent).tag, "b");
  message().tag = "z";
  EXPECT_EQ(after(Status::Sent).tag, "");
}

TEST_F(Pipeline, HoldsByCredentialUnlessAPersonReleasedIt) {
  db.dir->credentials_by_id[5].hold = true;
  message().credential_id = 5;
  EXPECT_EQ(decision(), "Held: Credential is configured to hold all messages authenticated by it.");
  queued.manual = true;
  EXPECT_EQ(decision(), "send");
}

TEST_F(Pipeline, HoldsForSuppressedRecipients) {
  db.suppressions["john@x.test"] = {"john@x.test", "testing", now + 24h};
  EXPECT_EQ(decision(), "Held: Recipient (john@x.test) is on the suppression list (reason: testing)");
  config.profile = config::Profile::Modern;
  EXPECT_EQ(decision(), "HardFail: Recipient (john@x.test) is on the suppression list (reason: testing)");
}

TEST_F(Pipeline, TakesARecipientOffTheListAfterASuccess) {
  db.suppressions["john@x.test"] = {"john@x.test", "testing", now + 24h};
  queued.manual = true;
  auto done = after(Status::Sent);
  EXPECT_EQ(done.delivery->details, "What the remote host did. Recipient removed from suppression list");
  EXPECT_EQ(done.unsuppress_address, "john@x.test");

  queued.manual = false;
  db.suppressions["john@x.test"].keep_until = now - 24h;
  done = after(Status::Sent);
  EXPECT_EQ(done.unsuppress_address, "john@x.test") << "an expired entry holds nothing up, but goes too";
  EXPECT_EQ(after(Status::SoftFail).unsuppress_address, "");
}

TEST_F(Pipeline, SignsOnce) {
  db.raws.insert_or_assign(1, store::RawMessage("From: a@example.com\r\nx-postal-msgid: existing-id\r\n\r\nHi\r\n"));
  EXPECT_EQ(decision(), "send");
  EXPECT_EQ(attempt.added_headers, "");
}

TEST_F(Pipeline, SignsForTheDomainWhoseRecordWasFound) {
  auto& domain = db.dir->domains_by_id.at(1);
  domain.dkim_status = "OK";
  domain.dkim_identifier_string = "aB3dEf";
  domain.dkim_private_key = trust::SigningKey::generate_rsa_pem(1024);
  EXPECT_EQ(decision(), "send");
  EXPECT_NE(attempt.added_headers.find("\td=example.com;\r\n\ts=postal-aB3dEf;"), std::string::npos);
}

TEST_F(Pipeline, HoldsAboveTheSendLimit) {
  server().send_limit = 5;
  db.sent = 4;
  EXPECT_EQ(decision(), "send");
  EXPECT_EQ(decision(), "send") << "the first one's place was given back";
  db.sent = 5;
  queued.manual = true;
  EXPECT_EQ(decision(), "Held: Message held because send limit (5) has been reached.");
}

TEST_F(Pipeline, TellsHowNearTheSendLimitIs) {  // outbound-delivery.md, cases 35 and 36
  using State = store::Store::SendLimitState;
  server().send_limit = 10;
  const std::pair<int, State> cases[] = {{8, State::Below}, {9, State::Approaching}, {10, State::Exceeded}};
  for (const auto& [sent, state] : cases) {
    db.sent = sent;
    EXPECT_EQ(decision() == "send", state != State::Exceeded);
    EXPECT_EQ(db.send_limit_state, state) << sent;
  }
}

TEST_F(Pipeline, LetsNoTwoMessagesPassTheLimitTogether) {
  server().send_limit = 1;
  Attempt first, second;
  first.job.queued = second.job.queued = queued;
  EXPECT_FALSE(run_before_send(first, tools()));
  EXPECT_TRUE(run_before_send(second, tools()));
}

TEST_F(Pipeline, HoldsInDevelopmentUnlessAPersonReleasedIt) {
  server().mode = "Development";
  EXPECT_EQ(decision(), "Held: Server is in development mode.");
  queued.manual = true;
  EXPECT_EQ(decision(), "send");
}

TEST_F(Pipeline, SaysTheFirstOfSeveralReasons) {
  server().mode = "Development";
  server().send_limit = 0;
  db.suppressions["john@x.test"] = {"john@x.test", "testing", now + 24h};
  EXPECT_EQ(decision(), "Held: Recipient (john@x.test) is on the suppression list (reason: testing)");
}

TEST_F(Pipeline, FailsSpam) {
  server().outbound_spam_threshold = 5;
  message().inspected = message().spam = true;
  message().spam_score = 6.25;
  EXPECT_EQ(decision(), "HardFail: Message is likely spam. Threshold is 5.0 and the message scored 6.25.");
}

TEST_F(Pipeline, ConcludesASuccess) {
  const auto done = after(Status::Sent);
  EXPECT_EQ(done.queue, QueueChange::Done);
  EXPECT_EQ(done.delivery->status, "Sent");
  EXPECT_EQ(done.delivery->details, "What the remote host did");
  EXPECT_EQ(done.prepend_headers, attempt.added_headers);
  EXPECT_FALSE(done.prepend_headers.empty());
}

TEST_F(Pipeline, RetriesOnPostalsCurve) {
  for (auto [attempts, delay] : {std::pair{0, 300.0}, {1, 390.0}, {2, 507.0}, {5, 1113.879}}) {
    queued.attempts = attempts;
    const auto done = after(Status::SoftFail);
    EXPECT_EQ(done.queue, QueueChange::Retry);
    EXPECT_NEAR(std::chrono::duration<double>(*done.retry_at - now).count(), delay, 0.01);
  }
}

TEST_F(Pipeline, LooksAgainAtOnceAfterTheLastAttempt) {
  queued.attempts = 17;
  EXPECT_EQ(after(Status::SoftFail).retry_at, now);
}

TEST_F(Pipeline, SuppressesAtTheSecondFailureOfTheMailbox) {
  auto done = after(Status::HardFail, policy::Class::InvalidMailbox);
  EXPECT_EQ(done.suppress_address, "");
  EXPECT_EQ(done.delivery->details, "What the remote host did");
  db.hard_fails = 1;
  done = after(Status::HardFail, policy::Class::InvalidMailbox);
  EXPECT_EQ(done.suppress_address, "john@x.test");
  EXPECT_EQ(done.suppress_reason, "too many hard fails");
  EXPECT_EQ(done.delivery->details,
            "What the remote host did. Recipient added to suppression list (too many hard fails)");
}

TEST_F(Pipeline, SuppressesNobodyForRefusedContent) {
  db.hard_fails = 10;
  EXPECT_EQ(after(Status::HardFail, policy::Class::SpamContent).suppress_address, "");
}

TEST_F(Pipeline, CountsAFullMailboxThreeTimes) {
  db.hard_fails = 1;
  EXPECT_EQ(after(Status::HardFail, policy::Class::MailboxFull).suppress_address, "");
  db.hard_fails = 2;
  EXPECT_EQ(after(Status::HardFail, policy::Class::MailboxFull).suppress_address, "john@x.test");
}

TEST_F(Pipeline, GivesUnknownDomainsThreeLooks) {
  const ConnectFailure unknown{
      NoHosts::Why::NoSuchDomain, "No SMTP servers were available for x.test. No hosts to try.", {}, "", "ABCDEFGH"};
  const auto conclude = [&](int attempts) {
    queued.attempts = attempts;
    EXPECT_FALSE(before());
    set_verdict(attempt, unknown);
    return run_after_send(attempt, tools());
  };
  auto done = conclude(0);
  EXPECT_EQ(done.delivery->status, "SoftFail");
  EXPECT_EQ(done.delivery->log_id, "ABCDEFGH");
  EXPECT_EQ(done.delivery->seconds, std::nullopt);
  EXPECT_EQ(done.retry_at, now + 30min);

  earlier("SoftFail", unknown.details, 1min);
  earlier("SoftFail", unknown.details, 30s);
  EXPECT_EQ(conclude(2).delivery->status, "SoftFail") << "by hand, within a minute";

  db.rows.clear();
  earlier("SoftFail", unknown.details, 61min);
  earlier("SoftFail", unknown.details, 30min);
  done = conclude(2);
  EXPECT_EQ(done.delivery->status, "HardFail");
  EXPECT_EQ(done.delivery->details, "The recipient domain x.test does not exist (NXDOMAIN).");
  EXPECT_EQ(done.queue, QueueChange::Done);
}

TEST_F(Pipeline, FailsAtOnceForDomainsThatTakeNoMail) {
  EXPECT_FALSE(before());
  set_verdict(attempt, {NoHosts::Why::NullMx, "The domain x.test does not accept mail (null MX).", {}, "", "ABCDEFGH"});
  const auto done = run_after_send(attempt, tools());
  EXPECT_EQ(done.delivery->status, "HardFail");
  EXPECT_EQ(done.queue, QueueChange::Done);
}

TEST_F(Pipeline, RetriesWhatItStumbledOver) {
  EXPECT_FALSE(before());
  const auto done = internal_error(attempt, tools(), std::runtime_error("no such thing"));
  EXPECT_EQ(done.delivery->status, "Error");
  EXPECT_EQ(done.delivery->details,
            "An internal error occurred while sending this message. This message will be retried automatically.");
  EXPECT_EQ(done.delivery->output, "std::runtime_error: no such thing");
  EXPECT_EQ(done.queue, QueueChange::Retry);
  EXPECT_EQ(done.retry_at, now + 300s);
}

TEST_F(Pipeline, CountsAMessageOnlyUntilItsFirstTransaction) {
  server().send_limit = 1;
  db.sent = 1;
  queued.attempts = 1;
  store::Delivery transaction;
  transaction.seconds = 0.5;
  db.rows[1].push_back(transaction);
  EXPECT_EQ(decision(), "send") << "it is among those that were counted";
}

}  // namespace
}  // namespace posthaste::delivery
