#include "policy/reply_verdict.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace posthaste::policy {
namespace {

using Status = Verdict::Status;

constexpr std::string_view kEndpoint = "127.0.0.1:25 (mx1.test)";
constexpr std::string_view kTemporary = "Temporary SMTP delivery error when sending to 127.0.0.1:25 (mx1.test)";
constexpr std::string_view kPermanent = "Permanent SMTP delivery error when sending to 127.0.0.1:25 (mx1.test)";
constexpr std::string_view kBroken = "An error occurred while sending the message to 127.0.0.1:25 (mx1.test)";

Attempt attempt(Attempt::Kind kind, Stage stage, std::string_view text = "") {
  Attempt a{.kind = kind, .stage = stage, .rcpt_to = "john@x.test", .endpoint = kEndpoint};
  if (kind == Attempt::Kind::Accepted || kind == Attempt::Kind::Refused) {
    a.reply = text;
    a.code = std::atoi(std::string(text).c_str());
  } else {
    a.error = text;
  }
  return a;
}

Verdict refused(Stage stage, std::string_view reply) { return judge(attempt(Attempt::Kind::Refused, stage, reply)); }

TEST(Verdict, AcceptedIsSentWithTheEndpointAndTheReply) {
  auto accepted = attempt(Attempt::Kind::Accepted, Stage::Content, "250 2.0.0 ok queued");
  EXPECT_EQ(judge(accepted).status, Status::Sent);
  EXPECT_EQ(judge(accepted).details, "Message for john@x.test accepted by 127.0.0.1:25 (mx1.test)");
  EXPECT_EQ(judge(accepted).output, "250 2.0.0 ok queued");
  EXPECT_EQ(judge(accepted).code, 250);
  accepted.source_ip = "203.0.113.5";
  EXPECT_TRUE(judge(accepted).details.ends_with(" (mx1.test) (from 203.0.113.5)"));
}

TEST(Verdict, TheReplyDecidesBetweenLaterAndNever) {
  struct Row {
    Stage stage;
    const char* reply;
    Status wanted;
  };
  const Row rows[] = {
      {Stage::Mail, "451 4.3.0 later", Status::SoftFail},
      {Stage::Mail, "421 4.3.0 shutting down", Status::SoftFail},
      {Stage::Mail, "530 5.7.0 Must issue a STARTTLS command first", Status::SoftFail},
      {Stage::Mail, "550 5.1.8 sender unknown", Status::HardFail},
      {Stage::Mail, "555 5.5.4 unsupported option", Status::HardFail},
      {Stage::Rcpt, "450 4.2.1 mailbox busy", Status::SoftFail},
      {Stage::Rcpt, "452 4.2.2 mailbox full", Status::SoftFail},
      {Stage::Rcpt, "550-5.1.1 no\n550 5.1.1 such user", Status::HardFail},
      {Stage::Rcpt, "501 5.1.3 bad address", Status::HardFail},
      {Stage::Rcpt, "552 5.2.2 mailbox full", Status::HardFail},
      {Stage::Rcpt, "354 what", Status::SoftFail},
      {Stage::Rcpt, "535 5.7.8 no", Status::SoftFail},
      {Stage::Data, "451 4.3.0 no space", Status::SoftFail},
      {Stage::Data, "554 5.5.1 no valid recipients", Status::HardFail},
      {Stage::Data, "250 what", Status::SoftFail},
      {Stage::Content, "451 4.3.0 no space", Status::SoftFail},
      {Stage::Content, "503 5.5.1 hm", Status::SoftFail},
      {Stage::Content, "550 5.6.0 not like this", Status::HardFail},
      {Stage::Content, "554 5.3.4 no thanks", Status::HardFail},
      {Stage::Content, "354 still", Status::SoftFail},
      {Stage::Rcpt, "550 5.7.1 blocked using zen.spamhaus.org", Status::SoftFail},
      {Stage::Rcpt, "550 too many messages today", Status::SoftFail},
  };
  for (const auto& row : rows) {
    const auto verdict = refused(row.stage, row.reply);
    EXPECT_EQ(to_text(verdict.status), to_text(row.wanted)) << row.reply;
    EXPECT_EQ(verdict.details, row.wanted == Status::HardFail ? kPermanent : kTemporary) << row.reply;
    EXPECT_EQ(verdict.output, row.reply);
    EXPECT_EQ(verdict.code, std::atoi(row.reply));
  }
}

TEST(Verdict, UnknownCommandsAreTriedOnceMoreWithHelo) {
  auto unknown = attempt(Attempt::Kind::Refused, Stage::Mail, "502 5.5.2 what?");
  EXPECT_TRUE(judge(unknown).retry_with_helo);
  unknown.helo_only = true;
  EXPECT_FALSE(judge(unknown).retry_with_helo);
  EXPECT_EQ(judge(unknown).status, Status::HardFail);
  EXPECT_FALSE(refused(Stage::Content, "503 5.5.1 hm").retry_with_helo);
  EXPECT_FALSE(refused(Stage::Rcpt, "501 5.1.3 bad address").retry_with_helo);
}

TEST(Verdict, HintsCountForTemporaryFailuresOnly) {
  EXPECT_EQ(refused(Stage::Rcpt, "451 4.7.1 Greylisted, retry in 300 seconds").retry_hint, std::chrono::seconds(310));
  EXPECT_EQ(refused(Stage::Rcpt, "550 5.1.1 retry in 300 seconds").retry_hint, std::nullopt);
}

TEST(Verdict, LostBeforeTheEndMayGoElsewhere) {
  const auto verdict = judge(attempt(Attempt::Kind::Broken, Stage::Rcpt, "end of file reached"));
  EXPECT_EQ(verdict.status, Status::SoftFail);
  EXPECT_EQ(verdict.details, kBroken);
  EXPECT_EQ(verdict.output, "end of file reached");
  EXPECT_EQ(verdict.code, std::nullopt);
  EXPECT_TRUE(verdict.retry_elsewhere);
}

TEST(Verdict, ALateReplyOrNoneAtAllIsATemporaryError) {
  for (auto error : {"Net::ReadTimeout", "protocol error: not an SMTP reply: hm"}) {
    const auto verdict = judge(attempt(Attempt::Kind::Broken, Stage::Rcpt, error));
    EXPECT_EQ(verdict.details, kTemporary);
    EXPECT_EQ(verdict.output, error);
    EXPECT_FALSE(verdict.retry_elsewhere);
  }
}

TEST(Verdict, DoubtIsNeverSentAgainAtOnce) {
  for (auto error : {"end of file reached", "Net::ReadTimeout"}) {
    const auto verdict = judge(attempt(Attempt::Kind::Uncertain, Stage::Content, error));
    EXPECT_EQ(verdict.status, Status::SoftFail);
    EXPECT_EQ(verdict.details, kBroken);
    EXPECT_FALSE(verdict.retry_elsewhere);
  }
}

TEST(Verdict, WhatAHostCannotTakeIsFinal) {
  const auto text = "The recipient's mail server does not support internationalized addresses (SMTPUTF8).";
  const auto verdict = judge(attempt(Attempt::Kind::Unfit, Stage::Mail, text));
  EXPECT_EQ(verdict.status, Status::HardFail);
  EXPECT_EQ(verdict.details, text);
  EXPECT_EQ(verdict.classification, Class::Unsupported);
}

TEST(Verdict, NoServersNamesThoseThatWereTried) {
  EXPECT_EQ(no_servers_details("x.test", {"mx1.test", "mx2.test", "mx3.test"}),
            "No SMTP servers were available for x.test. Tried mx1.test, mx2.test, and mx3.test.");
  EXPECT_EQ(no_servers_details("x.test", {}), "No SMTP servers were available for x.test. No hosts to try.");
}

}  // namespace
}  // namespace posthaste::policy
