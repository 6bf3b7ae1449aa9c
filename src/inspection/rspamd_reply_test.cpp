#include "inspection/rspamd_reply.h"

#include <gtest/gtest.h>

namespace posthaste::inspection {
namespace {

constexpr std::string_view kReply = R"({"score": 9.25, "required_score": 15, "action": "add header", "symbols": {
  "A": {"name": "A", "score": 4.0, "description": "first"}, "B": {"name": "B", "score": 3.5, "description": "second"},
  "QUIET": {"name": "QUIET", "score": 1.25}, "EMPTY": {"name": "EMPTY", "score": 0.5, "description": ""}}})";

TEST(RspamdReply, CountsAsPostalDoes) {
  const auto scan = parse_rspamd_reply(kReply, RspamdScore::Symbols);
  ASSERT_TRUE(scan);
  EXPECT_EQ(scan->score, 7.5);
  ASSERT_EQ(scan->checks.size(), 2U);
  EXPECT_EQ(scan->checks[1].description, "second");
}

TEST(RspamdReply, OrTakesItsOwnTotalWithAllSymbols) {
  const auto scan = parse_rspamd_reply(kReply, RspamdScore::Total);
  ASSERT_TRUE(scan);
  EXPECT_EQ(scan->score, 9.25);
  EXPECT_EQ(scan->checks.size(), 4U);
  EXPECT_FALSE(parse_rspamd_reply("{}", RspamdScore::Total)) << "no total";
}

TEST(RspamdReply, HasNoAnswerInWhatIsNone) {
  for (std::string_view text : {"", "{", "[]", "null", R"({"symbols": []})", R"({"symbols": 1})"})
    EXPECT_FALSE(parse_rspamd_reply(text, RspamdScore::Symbols)) << text;
  EXPECT_EQ(parse_rspamd_reply("{}", RspamdScore::Symbols)->score, 0);
  EXPECT_EQ(parse_rspamd_reply(R"({"symbols": {"A": 1, "B": {"score": "x", "description": 5}}})", RspamdScore::Symbols)
                ->checks.size(),
            0U);
  EXPECT_FALSE(parse_rspamd_reply(R"({"score": 1e999})", RspamdScore::Total));
}

TEST(RspamdReply, WithstandsDepthAndLength) {
  EXPECT_FALSE(parse_rspamd_reply(std::string(1'000'000, '['), RspamdScore::Total));
  EXPECT_FALSE(parse_rspamd_reply(std::string(500'000, '[') + std::string(500'000, ']'), RspamdScore::Total));
  std::string many = R"({"symbols": {)";
  for (int i = 0; i < 5000; ++i) {
    const auto name = "S" + std::to_string(i);
    many += "\"" + name + "\": {\"score\": 1, \"description\": \"" + std::string(400, 'x') + "\"},";
  }
  many.back() = '}';
  const auto scan = parse_rspamd_reply(many + "}", RspamdScore::Symbols);
  ASSERT_TRUE(scan);
  EXPECT_EQ(scan->checks.size(), kMostChecks);
  EXPECT_EQ(scan->checks[0].description.size(), kMostText);
  EXPECT_EQ(scan->score, 5000) << "what is not kept counts";
}

}  // namespace
}  // namespace posthaste::inspection
