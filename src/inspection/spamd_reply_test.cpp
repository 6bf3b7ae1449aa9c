#include "inspection/spamd_reply.h"

#include <gtest/gtest.h>

namespace posthaste::inspection {
namespace {

std::string report(const std::string& rules) {
  return "SPAMD/1.1 0 EX_OK\r\nContent-length: 500\r\nSpam: False ; 1.0 / 5.0\r\n\r\n--- not yet\r\n"
         " pts rule name              description\r\n---- ---------------------- -----------\r\n" +
         rules;
}

TEST(SpamdReply, SumsTheRulesOfTheTable) {
  const auto scan = parse_spamd_reply(report(" 1.0 MISSING_HEADERS        Missing To: header\r\n"
                                             "-1.9 BAYES_00               BODY: Bayes spam probability is\r\n"
                                             "                            0 to 1%\r\n"
                                             "                            [score: 0.0000]\r\n"),
                                      true);
  ASSERT_TRUE(scan);
  ASSERT_EQ(scan->checks.size(), 2U);
  EXPECT_EQ(scan->checks[0].code, "MISSING_HEADERS");
  EXPECT_EQ(scan->checks[0].description, "Missing To: header");
  EXPECT_EQ(scan->checks[1].score, -1.9);
  EXPECT_EQ(scan->checks[1].description, "BODY: Bayes spam probability is 0 to 1% [score: 0.0000]");
  EXPECT_NEAR(scan->score, -0.9, 1e-9);
  EXPECT_EQ(scan->outcome, Outcome::Answered);
}

TEST(SpamdReply, LeavesWhatFollowsTheTableAlone) {
  const auto scan =
      parse_spamd_reply(report("20.5 A One\n\nThe original message was not completely plain text.\n"), true);
  ASSERT_TRUE(scan);
  EXPECT_EQ(scan->checks.at(0).description, "One");
  EXPECT_EQ(scan->score, 20.5);
}

TEST(SpamdReply, LeavesRulesAboutTheWayInOutForOutgoingMail) {
  const std::string text = report(" 9.0 ALL_TRUSTED Trusted\r\n 1.0 SPF_FAIL SPF\r\n 2.0 NO_RELAYS None\r\n");
  EXPECT_EQ(parse_spamd_reply(text, false)->score, 1.0);
  EXPECT_EQ(parse_spamd_reply(text, false)->checks.size(), 1U);
  EXPECT_EQ(parse_spamd_reply(text, true)->score, 12.0);
}

TEST(SpamdReply, HasNoAnswerWithoutARule) {
  for (const std::string& text :
       {std::string(), std::string("SPAMD/1.0 76 Bad header line\r\n"), std::string("---"), report(""),
        report("Nothing\r\n 1.0 A Rule\r\n"), report("\r\n 1.0 A Rule\r\n"), report(" 1.0 A\r\n"),
        report("  1.0 A Rule\r\n"), report(" .5 A Rule\r\n"), report(" 1.0.0 A Rule\r\n"), report(" 1e9 A Rule\r\n")})
    EXPECT_FALSE(parse_spamd_reply(text, true)) << text;
}

TEST(SpamdReply, KeepsWhatItTakesWithinBounds) {
  std::string rules;
  for (int i = 0; i < 2000; ++i) rules += " 1.0 RULE_" + std::to_string(i) + " " + std::string(400, 'x') + "\n";
  const auto scan = parse_spamd_reply(report(rules), true);
  ASSERT_TRUE(scan);
  EXPECT_EQ(scan->checks.size(), kMostChecks);
  EXPECT_EQ(scan->checks[0].description.size(), kMostText);
  EXPECT_EQ(scan->score, double(kMostChecks));

  std::string long_text = " 1.0 A Rule\n";
  for (int i = 0; i < 2000; ++i) long_text += "    and more of it\n";
  EXPECT_LE(parse_spamd_reply(report(long_text), true)->checks.at(0).description.size(), kMostText + 1);
}

TEST(SpamdReply, AsksWithTheLength) { EXPECT_EQ(spamd_request(5), "REPORT SPAMC/1.2\r\nContent-length: 5\r\n\r\n"); }

}  // namespace
}  // namespace posthaste::inspection
