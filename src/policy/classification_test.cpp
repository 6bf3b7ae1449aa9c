#include "policy/classification.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace posthaste::policy {
namespace {

struct Case {
  const char* reply;
  Class wanted;
  Stage stage = Stage::Rcpt;
};

Class classify_text(const Case& c, int attempts = 0) {
  return classify({c.stage, std::atoi(std::string(c.reply).substr(0, 3).c_str()), c.reply, attempts});
}

TEST(Classification, RepliesSayWhatTheyMean) {
  const Case cases[] = {
      {"550 5.1.1 no such user", Class::InvalidMailbox},
      {"550-5.1.1 The email account that you tried to reach does\n550 5.1.1 not exist", Class::InvalidMailbox},
      {"550 no such user", Class::InvalidMailbox},
      {"550 <x@y>: Recipient address rejected: User unknown in virtual mailbox table", Class::InvalidMailbox},
      {"550 5.1.2 bad destination", Class::InvalidDomain},
      {"550 5.2.1 disabled", Class::InactiveMailbox},
      {"551 5.1.6 moved", Class::InactiveMailbox},
      {"525 5.7.13 user disabled", Class::InactiveMailbox},
      {"452 4.2.2 mailbox full", Class::MailboxFull},
      {"552 full", Class::MailboxFull},
      {"552 Message size exceeds fixed limit", Class::MessageTooLarge, Stage::Content},
      {"552 no", Class::MessageTooLarge, Stage::Mail},
      {"554 5.3.4 no thanks", Class::MessageTooLarge, Stage::Content},
      {"554 5.7.1 message has unacceptable content", Class::SpamContent, Stage::Content},
      {"550 5.7.1 This looks like spam", Class::SpamContent, Stage::Content},
      {"550 5.7.1 go away", Class::Policy},
      {"550 5.7.26 unauthenticated", Class::AuthFailure},
      {"550 5.7.1 SPF check failed", Class::AuthFailure},
      {"554 5.7.1 Service unavailable; Client host [1.2.3.4] blocked using zen.spamhaus.org", Class::Reputation},
      {"550 5.7.1 Unfortunately, messages from [1.2.3.4] weren't sent (S3140)", Class::Reputation},
      {"421 4.7.0 [TSS04] Messages from 1.2.3.4 temporarily deferred", Class::Reputation},
      {"421 4.7.28 Gmail has detected an unusual rate", Class::RateLimited},
      {"450 too many connections from your host", Class::RateLimited},
      {"421 4.3.0 shutting down", Class::RateLimited},
      {"450 4.2.0 Recipient address rejected: Greylisted", Class::Greylisted},
      {"530 5.7.0 Must issue a STARTTLS command first", Class::AuthRequired},
      {"500 what?", Class::Protocol},
      {"503 5.5.1 bad sequence", Class::Protocol},
      {"554 5.6.0 not like this", Class::Unsupported, Stage::Content},
      {"554 5.4.6 loop", Class::Routing},
      {"554 too many hops", Class::Routing, Stage::Content},
      {"554 5.7.1 Relay access denied", Class::Routing},
      {"550 recipient has unsubscribed", Class::RecipientOptOut},
      {"550 5.1.8 sender unknown", Class::Unknown},
      {"550 denied", Class::Unknown},
  };
  for (const auto& c : cases) EXPECT_EQ(to_text(classify_text(c)), to_text(c.wanted)) << c.reply;
}

TEST(Classification, WhatMailIsRefusedForIsNotTheRecipientsMailbox) {
  EXPECT_EQ(classify_text({"550 5.1.1 sender does not exist", Class::Policy, Stage::Mail}), Class::Policy);
}

TEST(Classification, ContradictingEnhancedCodeIsIgnored) {
  EXPECT_EQ(enhanced_code(450, "450 5.1.1 hm"), std::nullopt);
  EXPECT_EQ(classify_text({"450 5.1.1 hm", Class::Unknown}), Class::Unknown);
  EXPECT_EQ(enhanced_code(550, "550-hello\n550 5.7.1 no"), "5.7.1");
}

TEST(Classification, EarlyPolicyDelayIsGreylistingOnTheFirstAttemptOnly) {
  EXPECT_EQ(classify_text({"451 4.7.1 try later", Class::Greylisted}, 0), Class::Greylisted);
  EXPECT_EQ(classify_text({"451 4.7.1 try later", Class::Policy}, 1), Class::Policy);
}

TEST(Classification, WordsCountAsWordsOnly) {
  EXPECT_EQ(classify_text({"550 host spfilter.example.com says no", Class::Unknown}), Class::Unknown);
}

TEST(Classification, ErrorsWithoutAReply) {
  EXPECT_EQ(classify({Stage::Connect, 0, "Connection refused", 0}), Class::Connection);
  EXPECT_EQ(classify({Stage::Mail, 0, "end of file reached", 0}), Class::Protocol);
  EXPECT_EQ(classify({Stage::Connect, 0, "STARTTLS is not supported on this server", 0}), Class::TlsFailure);
  EXPECT_EQ(classify({Stage::Connect, 0, "MX lookup: SERVFAIL", 0}), Class::Dns);
}

}  // namespace
}  // namespace posthaste::policy
