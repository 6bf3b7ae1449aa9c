#include "smtp/proto/text_decoder.h"

#include <gtest/gtest.h>

namespace posthaste::smtp::proto {
namespace {

using Framing = TextDecoder::Framing;

struct Decoded {
  std::string text, rest;
  bool ended = false;
  bool operator==(const Decoded&) const = default;
};

// Feeds the input cut at these places.
Decoded decode(std::string_view input, std::vector<std::size_t> cuts = {}) {
  TextDecoder decoder(Framing::Dots, 1 << 20);
  Decoded result;
  cuts.push_back(input.size());
  std::size_t begin = 0;
  for (const std::size_t cut : cuts) {
    const auto piece = input.substr(begin, cut - begin);
    const auto fed = decoder.feed(piece, result.text);
    begin += fed.used;
    if (!fed.ended) continue;
    result.ended = true;
    result.rest = input.substr(begin);
    break;
  }
  return result;
}

TEST(TextDecoder, EndsAtTheDotAndLeavesTheRest) {
  EXPECT_EQ(decode("a\r\n.\r\nMAIL"), (Decoded{"a\r\n", "MAIL", true}));
  EXPECT_EQ(decode(".\r\n"), (Decoded{"", "", true}));
}

TEST(TextDecoder, TakesStuffedDotsAway) {
  EXPECT_EQ(decode("..foo\r\n..\r\n...baz\r\na..b\r\n ..c\r\n.bar\r\n").text,
            ".foo\r\n.\r\n..baz\r\na..b\r\n ..c\r\nbar\r\n");
}

TEST(TextDecoder, NearMissesAreText) {
  EXPECT_EQ(decode("a\n.\nb\r\n").text, "a\r\n.\r\nb\r\n");
  EXPECT_EQ(decode("a\n.\r\nb\r\n").text, "a\r\n.\r\nb\r\n");
  EXPECT_EQ(decode("a\r\n.\nb\r\n").text, "a\r\n.\r\nb\r\n");
  EXPECT_EQ(decode("a\r.\rb\r\n").text, "a . b\r\n");
  EXPECT_EQ(decode("a\r\n.\r\r\nb\r\n").text, "a\r\n \r\nb\r\n");
  for (const auto* miss : {"\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r\r\n", "\r.\r\n", "\n.\r"})
    EXPECT_FALSE(decode(std::string("a") + miss + "b\r\n").ended) << miss;
  EXPECT_EQ(decode("a\n.\r\n.\r\n"), (Decoded{"a\r\n.\r\n", "", true}));
}

TEST(TextDecoder, LeavesOnlyCrlf) {
  EXPECT_EQ(decode("a\nb\r\n\nc\rd\r\n").text, "a\r\nb\r\n\r\nc d\r\n");
  EXPECT_EQ(decode("a\r\r\n").text, "a \r\n");
}

TEST(TextDecoder, GivesTheSameHoweverTheInputIsCut) {
  const std::string input = "..a\r\n.b\n.\n\r.\rc\r\r\n\r\n.\r\r\n..\r\n.\r\nNOOP";
  const auto whole = decode(input);
  ASSERT_TRUE(whole.ended);
  for (std::size_t i = 0; i <= input.size(); ++i)
    for (std::size_t j = i; j <= input.size(); ++j) EXPECT_EQ(decode(input, {i, j}), whole) << i << " " << j;
}

TEST(TextDecoder, CountsWhatItSaw) {
  TextDecoder decoder(Framing::Dots, 1 << 20);
  std::string text;
  decoder.feed("a\nb\rc\r\n" + std::string(999, 'x') + "\r\n" + std::string(998, 'x') + "\r\n.\n", text);
  EXPECT_EQ(decoder.bare_lf(), 2u);
  EXPECT_EQ(decoder.bare_cr(), 1u);
  EXPECT_EQ(decoder.long_lines(), 1u);
  EXPECT_EQ(decoder.bytes(), text.size());
}

TEST(TextDecoder, KeepsNoMoreThanTheLimit) {
  TextDecoder decoder(Framing::Dots, 100);
  std::string text;
  for (int i = 0; i < 50; ++i) decoder.feed("0123456789\r\n", text);
  EXPECT_TRUE(decoder.overflow());
  EXPECT_LE(text.size(), 100u);
  EXPECT_EQ(decoder.bytes(), 600u);
  EXPECT_TRUE(decoder.feed(".\r\n", text).ended);
}

TEST(TextDecoder, ChunksHaveNoDots) {
  TextDecoder decoder(Framing::Chunks, 1 << 20);
  std::string text;
  EXPECT_FALSE(decoder.feed("..a\r\n.\r\nb\r", text).ended);
  decoder.feed("\n.c", text);
  decoder.finish(text);
  EXPECT_EQ(text, "..a\r\n.\r\nb\r\n.c\r\n");
}

TEST(TextDecoder, ChunksMayEndInACr) {
  TextDecoder decoder(Framing::Chunks, 1 << 20);
  std::string text;
  decoder.feed("a\r", text);
  decoder.finish(text);
  EXPECT_EQ(text, "a \r\n");
}

}  // namespace
}  // namespace posthaste::smtp::proto
