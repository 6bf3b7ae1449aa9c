#include "smtp/proto/dot_stuffing.h"

#include <gtest/gtest.h>

#include <string>

namespace posthaste::smtp::proto {
namespace {

std::string join(const std::vector<std::string_view>& views) {
  std::string text;
  for (const auto view : views) text += view;
  return text;
}

std::string encoded(std::vector<std::string_view> pieces) {
  DotStuffing stuffing;
  std::vector<std::string_view> out;
  for (const auto piece : pieces) stuffing.encode(piece, out);
  stuffing.finish(out);
  return join(out);
}

TEST(DotStuffing, DoublesDotsAtLineStarts) {
  EXPECT_EQ(encoded({".a\r\n..\r\nb.\r\n.\r\n"}), "..a\r\n...\r\nb.\r\n..\r\n");
}

TEST(DotStuffing, MakesEveryLineEndCrlf) {
  EXPECT_EQ(encoded({"a\nb\rc\r\n\n\rd"}), "a\r\nb\r\nc\r\n\r\n\r\nd\r\n");
  EXPECT_EQ(encoded({"a\r\r\nb"}), "a\r\n\r\nb\r\n");
  EXPECT_EQ(encoded({"\n.\n"}), "\r\n..\r\n");
}

TEST(DotStuffing, AddsTheMissingLastLineEndOnly) {
  EXPECT_EQ(encoded({"a"}), "a\r\n");
  EXPECT_EQ(encoded({"a\r"}), "a\r\n");
  EXPECT_EQ(encoded({"a\r\n"}), "a\r\n");
  EXPECT_EQ(encoded({}), "");
}

TEST(DotStuffing, GivesTheSameHoweverTheTextIsCut) {
  const std::string text = ".x\r\n..\n\r.\r\r\ny\n.\n.\r.";
  const auto whole = encoded({text});
  for (std::size_t i = 0; i <= text.size(); ++i)
    for (std::size_t j = i; j <= text.size(); ++j) {
      const std::string_view view = text;
      EXPECT_EQ(encoded({view.substr(0, i), view.substr(i, j - i), view.substr(j)}), whole) << i << " " << j;
    }
}

TEST(DotStuffing, LeavesOrdinaryTextInOneRun) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "an ordinary line\r\n";
  DotStuffing stuffing;
  std::vector<std::string_view> out;
  stuffing.encode(text, out);
  ASSERT_EQ(out.size(), 1u);
  EXPECT_EQ(out[0].data(), text.data());
}

}  // namespace
}  // namespace posthaste::smtp::proto
