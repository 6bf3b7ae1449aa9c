#include "inspection/clamd_reply.h"

#include <gtest/gtest.h>

namespace posthaste::inspection {
namespace {

using namespace std::string_literals;

TEST(ClamdReply, OnlyFoundIsAThreat) {
  const auto found = parse_clamd_reply("stream: Win.Test.EICAR_HDB-1 FOUND\0"s);
  EXPECT_TRUE(found.threat);
  EXPECT_EQ(found.details, "Win.Test.EICAR_HDB-1");
  EXPECT_EQ(found.outcome, Outcome::Answered);
  EXPECT_EQ(parse_clamd_reply("stream: My Own.Signature(abc:12) FOUND\0"s).details, "My Own.Signature(abc:12)");

  for (const auto& text : {"stream: OK\0"s, "stream:\tok\n"s}) {
    const auto clean = parse_clamd_reply(text);
    EXPECT_FALSE(clean.threat);
    EXPECT_EQ(clean.details, "No threats found");
  }
  for (const auto& text : {"stream: Can't allocate memory ERROR\0"s, "what?"s, ""s, "stream:"s, "stream: FOUND"s,
                           "UNKNOWN COMMAND\0stream: X FOUND"s}) {
    const auto unclear = parse_clamd_reply(text);
    EXPECT_FALSE(unclear.threat) << text;
    EXPECT_EQ(unclear.details, "Could not scan message");
    EXPECT_EQ(unclear.outcome, Outcome::Unreadable);
  }
}

TEST(ClamdReply, KnowsTheScannersOwnLimit) {
  EXPECT_EQ(parse_clamd_reply("INSTREAM size limit exceeded. ERROR\0"s).outcome, Outcome::Skipped);
}

TEST(ClamdReply, KeepsWhatItTakesWithinBounds) {
  EXPECT_EQ(parse_clamd_reply("stream: " + std::string(1000, 'x') + " FOUND").details.size(), kMostText);
}

TEST(ClamdReply, WritesLengthsInNetworkOrder) {
  EXPECT_EQ(chunk_length(kChunk), (std::array<char, 4>{0, 0x10, 0, 0}));
  EXPECT_EQ(chunk_length(0xFE), (std::array<char, 4>{0, 0, 0, char(0xFE)}));
}

}  // namespace
}  // namespace posthaste::inspection
