#include "policy/bounce_class.h"

#include <gtest/gtest.h>

namespace posthaste::policy {
namespace {

using enum BounceClass;

TEST(BounceClass, AnAddressThatDoesNotExistIsHard) {
  EXPECT_EQ(classify_bounce("failed", "5.1.1", "550 5.1.1 no such user"), Hard);
  EXPECT_EQ(classify_bounce("Failed", "5.1.2", ""), Hard);
  EXPECT_EQ(classify_bounce("failed", "5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound"), Hard);
  EXPECT_EQ(classify_bounce("failed", "5.2.1", "550 account disabled"), Hard);
  EXPECT_EQ(classify_bounce("failed", "5.4.4", "Host or domain name not found"), Hard);
}

TEST(BounceClass, WithoutAStatusTheWordsDecide) {
  EXPECT_EQ(classify_bounce("failed", "5.0.0", "550 User unknown"), Hard);
  EXPECT_EQ(classify_bounce("failed", "", "551 no such user here"), Hard);
  EXPECT_EQ(classify_bounce("failed", "", "Remote host said: 550 no such user"), Hard);
  EXPECT_EQ(classify_bounce("failed", "", "no such user"), Soft) << "no reply code";
  EXPECT_EQ(classify_bounce("failed", "", "552 no such user"), Soft) << "another reply code";
  EXPECT_EQ(classify_bounce("failed", "5.0.0", "550 Administrative trouble"), Soft);
  EXPECT_EQ(classify_bounce("", "", ""), Soft);
}

TEST(BounceClass, WhatIsSaidOfTheSenderBlamesNoRecipient) {
  EXPECT_EQ(classify_bounce("failed", "5.1.7", "550 bad sender address"), Soft);
  EXPECT_EQ(classify_bounce("failed", "5.1.8", "550 sender domain does not exist"), Soft);
  EXPECT_EQ(classify_bounce("failed", "5.1.0", "550 5.1.0 blocked, see spamhaus.org"), Policy);
  EXPECT_EQ(classify_bounce("failed", "5.1.0", "550 5.1.0 address rejected"), Hard);
}

TEST(BounceClass, OtherFailuresAreSoft) {
  for (const auto status : {"4.4.7", "4.2.2", "4.7.1", "4.1.1", "5.2.2", "5.2.3", "5.3.0", "5.4.7", "5.5.2"})
    EXPECT_EQ(classify_bounce("failed", status, "553 it went wrong"), Soft) << status;
}

TEST(BounceClass, RefusedContentAndBlockListsArePolicy) {
  EXPECT_EQ(classify_bounce("failed", "5.7.1", "554 rejected"), Policy);
  EXPECT_EQ(classify_bounce("failed", "5.6.0", "554 bad content"), Policy);
  EXPECT_EQ(classify_bounce("failed", "5.3.0", "553 5.3.0 listed by DNSBL"), Policy);
  EXPECT_EQ(classify_bounce("failed", "", "554 message looks like spam"), Policy);
}

TEST(BounceClass, DelaysAndSuccessesAreNoFailures) {
  EXPECT_EQ(classify_bounce("delayed", "4.4.1", ""), Delayed);
  EXPECT_EQ(classify_bounce("DELIVERED", "2.0.0", ""), Success);
  EXPECT_EQ(classify_bounce("relayed", "", ""), Success);
  EXPECT_EQ(classify_bounce("expanded", "2.1.5", ""), Success);
  EXPECT_EQ(classify_bounce("", "2.0.0", ""), Success);
  EXPECT_EQ(classify_bounce("", "4.4.1", ""), Delayed);
  EXPECT_FALSE(failed(Delayed));
  EXPECT_TRUE(failed(Policy));
}

}  // namespace
}  // namespace posthaste::policy
