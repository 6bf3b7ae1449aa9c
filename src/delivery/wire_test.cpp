#include "delivery/wire.h"

#include <gtest/gtest.h>

namespace posthaste::delivery {
namespace {

std::string wire(const std::string& front, const std::string& message) {
  const store::RawMessage raw(message);
  std::string all;
  for (auto piece : wire_pieces(front, raw)) all += piece;
  return all;
}

TEST(Wire, PutsTheFrontBeforeTheMessageAsStored) {
  EXPECT_EQ(wire("A: 1\r\n", "B: 2\r\n\r\nHi\r\n"), "A: 1\r\nB: 2\r\n\r\nHi\r\n");
}

TEST(Wire, LeavesOutHeadersThatWereMeantForUs) {
  EXPECT_EQ(wire("", "X-Postal-Tag: news\r\nB: 2\r\nx-amp: skip\r\n folded\r\nC: 3\r\n\r\nX-Postal-Tag: body\r\n"),
            "B: 2\r\nC: 3\r\n\r\nX-Postal-Tag: body\r\n");
  EXPECT_EQ(wire("", "B: 2\nX-Postal-Tag: last\n\nHi\n"), "B: 2\n\nHi\n");
  EXPECT_EQ(wire("F: 0\r\n", "X-Postal-Tag: only\r\n\r\nHi\r\n"), "F: 0\r\n\r\nHi\r\n");
}

TEST(Wire, EndsTheHeaderOfAMessageWithoutABody) {
  EXPECT_EQ(wire("", "A: 1\r\n"), "A: 1\r\n\r\n");
  EXPECT_EQ(wire("", "A: 1"), "A: 1\r\n\r\n");
  EXPECT_EQ(wire("", "A: 1\r\n\r\n"), "A: 1\r\n\r\n");
}

TEST(Wire, EndsTheLastLineSoThatTheAnnouncedSizeCountsIt) {
  EXPECT_EQ(wire("", "A: 1\r\n\r\nHi"), "A: 1\r\n\r\nHi\r\n");
  EXPECT_EQ(wire("", "A: 1\r\n\r\nHi\r"), "A: 1\r\n\r\nHi\r\n");
  EXPECT_EQ(wire("", "A: 1\r\n\r\nHi\r\n"), "A: 1\r\n\r\nHi\r\n");
}

TEST(ResentSender, IsLeftOutForEmptySendersAndWhenSwitchedOff) {
  EXPECT_EQ(resent_sender("a@x.test", true), "Resent-Sender: a@x.test\r\n");
  EXPECT_EQ(resent_sender("", true), "");
  EXPECT_EQ(resent_sender("a@x.test", false), "");
}

}  // namespace
}  // namespace posthaste::delivery
