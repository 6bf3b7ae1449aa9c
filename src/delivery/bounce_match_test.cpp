#include "delivery/bounce_match.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "base/strings.h"
#include "delivery/bounce_message.h"
#include "delivery/fake_store.h"
#include "delivery/pipeline.h"
#include "delivery/return_path.h"

namespace posthaste::delivery {
namespace {

using Kind = Answer::Kind;

const Time kNow = from_unix_micros(1'767'225'600'000'000);  // 2026-01-01 00:00:00
constexpr std::string_view kUnmatched =
    "This message was a bounce but we couldn't link it with any outgoing message and there was no route for it.";

struct Told {
  std::string action = "failed", status = "5.1.1", recipient = "john@x.test", returned;
};

std::string report(const Told& told) {
  return "From: MAILER-DAEMON@mx.x.test\r\nAuto-Submitted: auto-replied\r\nContent-Type: multipart/report; "
         "report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n--b\r\n"
         "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.x.test\r\n\r\nFinal-Recipient: rfc822; " +
         told.recipient + "\r\nAction: " + told.action + "\r\nStatus: " + told.status +
         "\r\nDiagnostic-Code: smtp; 550 it did not work\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n" +
         told.returned + "Subject: Hello\r\n--b--\r\n";
}

// Message 1 was sent to john@x.test; message 2 is the mail to the return path.
class BounceMatch : public ::testing::Test {
 protected:
  BounceMatch() {
    key_file_ = std::filesystem::temp_directory_path() / ("signing-" + random_hex(12));
    std::ofstream(key_file_) << trust::SigningKey::generate_rsa_pem(1024);
    config.postal.signing_key_path = key_file_.string();
    config.dns.return_path_domain = "rp.example.org";
    config.postal.smtp_hostname = "smtp.example.org";
    signer.emplace(config);
    testing::add_message(db, 1, "john@x.test");
    original().status = "Sent";
    original().message_id = "one@example.com";
  }
  ~BounceMatch() override { std::filesystem::remove(key_file_); }

  store::Message& original() { return db.messages.at(1); }
  std::string tagged(store::Id id = 1, char kind = 'b') {
    return "abcdef+" + signer->return_tags()->make("abcdef", {kind, id}) + "@rp.example.org";
  }

  Answer receive(const std::string& bytes, const std::string& rcpt_to = "abcdef@rp.example.org",
                 const std::string& mail_from = "") {
    store::Message& message = db.messages[2];
    message.id = 2;
    message.token = "bouncebounceboun";
    message.scope = "incoming";
    message.rcpt_to = rcpt_to;
    message.mail_from = mail_from;
    message.bounce = true;
    message.timestamp = kNow;
    attempt = {};
    attempt.job.queued.server_id = 1;
    attempt.job.queued.message_id = attempt.job.queued.queue_id = 2;
    attempt.message = message;
    attempt.directory = db.dir;
    attempt.server = db.dir->server(1);
    attempt.raw = store::RawMessage(bytes);
    if (route) attempt.message.route_id = route;
    Tools tools{db, config, [this] { return now; }, [] { return 0.0; }, *signer, limits, {0.0, 1.0}};
    return match_bounce(attempt, tools);
  }
  void expect_bounced(const Answer& answer, std::string_view match) {
    EXPECT_EQ(answer.kind, Kind::Processed);
    EXPECT_EQ(answer.details, "This has been detected as a bounce message for <msg:1>.");
    const auto& c = attempt.conclusion;
    EXPECT_EQ(c.bounce_for_id, 1);
    EXPECT_EQ(c.domain_id, 1);
    ASSERT_EQ(c.others.size(), 1U);
    EXPECT_EQ(c.others[0].message_id, 1);
    EXPECT_EQ(c.others[0].delivery.status, "Bounced");
    EXPECT_EQ(c.others[0].delivery.details,
              "We've received a bounce message for this e-mail. See <msg:2> for details.");
    ASSERT_EQ(c.reports.size(), 1U);
    EXPECT_EQ(c.reports[0].match, match);
  }
  void expect_no_effect() {
    const auto& c = attempt.conclusion;
    EXPECT_FALSE(c.bounce_for_id);
    EXPECT_TRUE(c.others.empty());
    EXPECT_TRUE(c.requests.empty());
    EXPECT_TRUE(c.suppress_address.empty());
  }

  testing::FakeStore db;
  config::Config config;
  std::optional<Signer> signer;
  SendLimits limits{db};
  Attempt attempt;
  std::optional<store::Id> route;
  Time now = kNow;

 private:
  std::filesystem::path key_file_;
};

TEST_F(BounceMatch, WhatIsNoBounceGoesOn) {
  receive(report({}));
  attempt.message.bounce = false;
  Tools tools{db, config, [this] { return now; }, [] { return 0.0; }, *signer, limits, {0.0, 1.0}};
  EXPECT_EQ(match_bounce(attempt, tools).kind, Kind::GoOn);
}

TEST_F(BounceMatch, ByTheTagInTheAddress) {
  expect_bounced(receive(report({}), tagged()), "verp");
  expect_bounced(receive(report({}), to_upper(tagged()).replace(0, 6, "abcdef")), "verp");
}

TEST_F(BounceMatch, ATamperedTagIsIgnored) {
  std::string address = tagged();
  address[address.find('@') - 1] ^= 1;
  EXPECT_EQ(receive(report({}), address).details, kUnmatched);
  EXPECT_EQ(receive(report({}), "abcdef+any-tag@rp.example.org").details, kUnmatched);
  expect_bounced(receive(report({.returned = "X-Postal-MsgID: tokentokentoken1\r\n"}), address), "msgid");
}

TEST_F(BounceMatch, ByTheTokenInTheReturnedMessage) {
  expect_bounced(receive(report({.returned = "X-Postal-MsgID: tokentokentoken1\r\n"})), "msgid");
}

TEST_F(BounceMatch, ByMessageIdAndRecipient) {
  const Told told{.returned = "Message-ID: <one@example.com>\r\n"};
  expect_bounced(receive(report(told)), "message-id");
  Told other = told;
  other.recipient = "eve@x.test";
  EXPECT_EQ(receive(report(other)).details, kUnmatched);
}

TEST_F(BounceMatch, ByAnyTokenAtLast) {
  expect_bounced(receive("Subject: failure notice\r\n\r\n> X-Postal-MsgID: tokentokentoken1\r\n"), "scan");
  expect_bounced(receive("X-Postal-MsgID: tokentokentoken1\r\n\r\nSorry\r\n"), "scan");
  expect_bounced(receive("Content-Transfer-Encoding: base64\r\n\r\n" +
                         base64_encode("X-Postal-MsgID: tokentokentoken1\r\n") + "\r\n"),
                 "scan");
}

TEST_F(BounceMatch, TheBouncesOwnTokenCountsOnlyWhenNothingElseIsKnown) {
  testing::add_message(db, 7, "eve@x.test");
  db.messages.at(7).token = "ownownownownown1";
  db.messages.at(7).status = "Sent";
  expect_bounced(receive("X-Postal-MsgID: ownownownownown1\r\n\r\nX-Postal-MsgID: tokentokentoken1\r\n"), "scan");
}

TEST_F(BounceMatch, AMessageThatNeverLeftIsNotFoundByItsToken) {
  original().status = "Held";
  const std::string text = "Subject: no\r\n\r\nX-Postal-MsgID: tokentokentoken1\r\n";
  EXPECT_EQ(receive(text).details, kUnmatched);
  db.rows[1].push_back({.status = "Sent"});
  expect_bounced(receive(text), "scan");
  original().scope = "incoming";
  EXPECT_EQ(receive(text).details, kUnmatched);
}

TEST_F(BounceMatch, EveryMessageThatIsNamedHasBounced) {
  testing::add_message(db, 7, "eve@x.test");
  db.messages.at(7).token = "secondsecondsec1";
  db.messages.at(7).status = "Sent";
  const auto answer =
      receive("Subject: no\r\n\r\nX-Postal-MsgID: tokentokentoken1\r\nX-Postal-MsgID: secondsecondsec1\r\n");
  EXPECT_EQ(answer.details, "This has been detected as a bounce message for <msg:7>.");
  const auto& c = attempt.conclusion;
  EXPECT_EQ(c.bounce_for_id, 7);
  ASSERT_EQ(c.others.size(), 3U);
  EXPECT_EQ(c.others[0].message_id, 1);
  EXPECT_EQ(c.others[1].message_id, 2);
  EXPECT_EQ(c.others[1].delivery.details, "This has been detected as a bounce message for <msg:1>.");
  EXPECT_EQ(c.others[2].message_id, 7);
}

TEST_F(BounceMatch, WhatCannotBeAttributedTakesItsRouteOrFails) {
  EXPECT_EQ(receive("Subject: x\r\n\r\nHello\r\n").details, kUnmatched);
  route = 3;
  db.dir->routes_by_id[3].id = 3;
  EXPECT_EQ(receive("Subject: x\r\n\r\nHello\r\n").kind, Kind::GoOn);
  expect_no_effect();
}

TEST_F(BounceMatch, AnAddressThatDoesNotExistIsSuppressed) {
  receive(report({}), tagged());
  EXPECT_EQ(attempt.conclusion.suppress_address, "john@x.test");
  EXPECT_EQ(attempt.conclusion.suppress_reason, "hard bounce (5.1.1)");
  receive(report({.status = "5.2.2"}), tagged());
  EXPECT_EQ(attempt.conclusion.suppress_address, "");
  receive(report({.status = "5.7.1"}), tagged());
  EXPECT_EQ(attempt.conclusion.suppress_address, "");
}

TEST_F(BounceMatch, WithoutAValidTagOnlyTheReportedRecipientIsSuppressed) {
  const std::string token = "X-Postal-MsgID: tokentokentoken1\r\n";
  receive(report({.recipient = "JOHN@x.test", .returned = token}));
  EXPECT_EQ(attempt.conclusion.suppress_address, "john@x.test");
  receive(report({.recipient = "alias@x.test", .returned = token}));
  EXPECT_EQ(attempt.conclusion.suppress_address, "");
  EXPECT_EQ(attempt.conclusion.others.size(), 1U);
  receive(report({.recipient = "alias@x.test"}), tagged());
  EXPECT_EQ(attempt.conclusion.suppress_address, "john@x.test");
}

TEST_F(BounceMatch, RetriesOfAMessageThatBouncedHardEnd) {
  original().status = "SoftFail";
  receive(report({.status = "5.2.2"}), tagged());
  EXPECT_TRUE(db.unqueued.empty());
  receive(report({}), tagged());
  EXPECT_EQ(db.unqueued, std::vector<store::Id>{1});
}

TEST_F(BounceMatch, ADelayIsANoteInTheHistory) {
  const auto answer = receive(report({.action = "delayed", .status = "4.4.1"}), tagged());
  EXPECT_EQ(answer.kind, Kind::Processed);
  EXPECT_EQ(answer.details, "This has been detected as a delay notice for <msg:1>.");
  const auto& c = attempt.conclusion;
  EXPECT_FALSE(c.bounce_for_id);
  EXPECT_TRUE(c.requests.empty());
  ASSERT_EQ(c.others.size(), 1U);
  EXPECT_TRUE(c.others[0].note);
}

TEST_F(BounceMatch, ASuccessChangesNothing) {
  const auto answer = receive(report({.action = "delivered", .status = "2.0.0"}), tagged());
  EXPECT_EQ(answer.kind, Kind::Processed);
  expect_no_effect();
}

TEST_F(BounceMatch, AnAutomaticReplyChangesNothing) {
  const std::string away = "Auto-Submitted: auto-replied\r\n\r\nI am away.\r\n> X-Postal-MsgID: tokentokentoken1\r\n";
  EXPECT_EQ(receive(away, tagged()).details, "This has been detected as an automatic reply to <msg:1>.");
  expect_no_effect();
  EXPECT_EQ(receive("X-Autoreply: yes\r\n\r\nI am away.\r\n").details, "This has been detected as an automatic reply.");
  route = 3;
  db.dir->routes_by_id[3].id = 3;
  EXPECT_EQ(receive(away, tagged()).kind, Kind::GoOn);
  expect_no_effect();
}

std::string complaint(const std::string& type, const std::string& fields, const std::string& returned) {
  return "From: fbl@provider.test\r\nContent-Type: multipart/report; report-type=feedback-report; "
         "boundary=b\r\n\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: " +
         type + "\r\n" + fields + "--b\r\nContent-Type: message/rfc822\r\n\r\n" + returned +
         "Subject: Hello\r\n\r\nHi\r\n--b--\r\n";
}

TEST_F(BounceMatch, AComplaintSuppressesAndChangesNoStatus) {
  store::Webhook all, named;
  all.all_events = true;
  named.id = 5;
  db.dir->hooks = {&all, &named};
  for (const auto& bytes : {complaint("abuse", "", "X-Postal-MsgID: tokentokentoken1\r\n"),
                            complaint("other", "Original-Mail-From: " + tagged() + "\r\n", ""),
                            complaint("opt-out", "", "Resent-Sender: " + tagged() + "\r\n")}) {
    const auto answer = receive(bytes, "abcdef+fbl@rp.example.org", "fbl@provider.test");
    EXPECT_EQ(answer.kind, Kind::Processed);
    EXPECT_EQ(answer.details, "This has been detected as a feedback report for <msg:1>.");
    const auto& c = attempt.conclusion;
    EXPECT_TRUE(c.others.empty());
    EXPECT_EQ(c.suppress_address, "john@x.test");
    EXPECT_EQ(c.suppress_reason, "complaint");
    ASSERT_EQ(c.requests.size(), 1U) << "hooks for all events do not get what Postal does not know";
    EXPECT_EQ(c.requests[0].webhook_id, 5);
    EXPECT_EQ(c.requests[0].event, "MessageComplained");
  }
  receive(complaint("not-spam", "", "X-Postal-MsgID: tokentokentoken1\r\n"));
  expect_no_effect();
}

TEST_F(BounceMatch, AnAnswerOfAPersonToATaggedAddressIsNoBounce) {
  EXPECT_EQ(receive("From: john@x.test\r\n\r\nThanks!\r\n", tagged(), "john@x.test").details, kUnmatched);
  expect_bounced(receive("From: MAILER-DAEMON@x.test\r\n\r\nSorry!\r\n", tagged(), "john@x.test"), "verp");
}

TEST_F(BounceMatch, TheWebhookIsToldOnceADay) {
  store::Webhook hook;
  hook.id = 4;
  hook.url = "https://hook.test/";
  db.dir->hooks = {&hook};
  receive(report({}), tagged());
  ASSERT_EQ(attempt.conclusion.requests.size(), 1U);
  EXPECT_EQ(attempt.conclusion.requests[0].event, "MessageBounced");
  EXPECT_NE(attempt.conclusion.requests[0].payload.find(R"("match":"verp")"), std::string::npos);
  db.reported_before = true;
  expect_bounced(receive(report({}), tagged()), "verp");
  EXPECT_TRUE(attempt.conclusion.requests.empty());
}

TEST_F(BounceMatch, LookingAgainChangesNothing) {
  db.rows[1].push_back(
      {.status = "Bounced", .details = "We've received a bounce message for this e-mail. See <msg:2> for details."});
  db.messages[2].bounce_for_id = 1;
  EXPECT_EQ(receive(report({}), tagged()).kind, Kind::Done);
  expect_no_effect();
}

TEST_F(BounceMatch, ABounceThatOvertakesOurOwnOutcomeWaitsForIt) {
  original().status = "Pending";
  const auto answer = receive(report({}), tagged());
  EXPECT_EQ(answer.kind, Kind::Retry);
  EXPECT_EQ(answer.at, kNow + 5s);
  expect_no_effect();
  now = kNow + 3min;
  expect_bounced(receive(report({}), tagged()), "verp");
}

TEST_F(BounceMatch, ForwardedMailThatCameBackIsToldToItsSender) {
  original().scope = "incoming";
  original().rcpt_to = "info@example.com";
  original().mail_from = "ann@far.test";
  EXPECT_EQ(receive(report({}), tagged()).details, kUnmatched) << "not by the tag of outgoing mail";
  expect_bounced(receive(report({}), tagged(1, 'f')), "verp");
  EXPECT_EQ(attempt.conclusion.suppress_address, "") << "the recipient is ours";
  const auto made = db.bounce_made_for(1, 1);
  ASSERT_TRUE(made);
  EXPECT_EQ(db.messages.at(*made).rcpt_to, "ann@far.test");
}

}  // namespace
}  // namespace posthaste::delivery
