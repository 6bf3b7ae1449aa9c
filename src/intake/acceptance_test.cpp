#include "intake/acceptance.h"

#include <gtest/gtest.h>

namespace posthaste::intake {
namespace {

const Clock kClock = [] { return Time{}; };

Prepared prepare(std::string raw) {
  return prepare_outgoing(std::move(raw), kClock, "rp.test", [] { return std::string("uuid"); });
}

const std::string kComplete =
    "From: a@b.c\r\nDate: Thu, 01 Jan 2026 10:00:00 +0000\r\nMessage-ID: <1@x.test>\r\nX-Odd:  two "
    "\t\r\n\r\nHi\r\n.\r\n\r\nno end";

TEST(PrepareOutgoing, LeavesACompleteMessageByteForByte) {
  const auto prepared = prepare(kComplete);
  EXPECT_EQ(prepared.raw, kComplete);
  EXPECT_EQ(prepared.message_id, "1@x.test");
  EXPECT_EQ(prepared.tag, "");
}

TEST(PrepareOutgoing, KeepsTheBufferOfACompleteMessage) {
  std::string raw = kComplete;
  const char* data = raw.data();
  EXPECT_EQ(prepare_outgoing(std::move(raw), kClock, "rp.test").raw.data(), data);
}

TEST(PrepareOutgoing, AddsDateAndMessageId) {
  const auto prepared = prepare("Received: x\r\nFrom: a@b.c\r\nSubject: =?utf-8?q?=C3=BC?=\r\n\r\nHi\r\n");
  EXPECT_EQ(prepared.raw,
            "Received: x\r\nFrom: a@b.c\r\nSubject: =?utf-8?q?=C3=BC?=\r\nDate: Thu, 01 Jan 1970 00:00:00 +0000\r\n"
            "Message-ID: <uuid@rp.test>\r\n\r\nHi\r\n");
  EXPECT_EQ(prepared.message_id, "uuid@rp.test");
  EXPECT_EQ(prepared.subject, "ü");
}

TEST(PrepareOutgoing, AddsThemToAMessageWithoutABody) {
  EXPECT_EQ(prepare("From: a@b.c").raw,
            "From: a@b.c\r\nDate: Thu, 01 Jan 1970 00:00:00 +0000\r\nMessage-ID: <uuid@rp.test>\r\n\r\n");
  EXPECT_TRUE(prepare("").raw.starts_with("Date: "));
  EXPECT_TRUE(prepare("\r\nbody").raw.ends_with("<uuid@rp.test>\r\n\r\nbody"));
}

TEST(PrepareOutgoing, TakesOutWhatIsNotForTheRecipient) {
  const auto prepared = prepare(
      "bcc: x@y.z,\r\n u@v.w\r\nFrom: a@b.c\r\nX-Postal-Tag: a\r\nDate: x\r\nX-POSTAL-MSGID: mine\r\nMessage-ID: "
      "<1@x>\r\n"
      "x-postal-tag: news \r\n\r\nBcc: in the body\r\n");
  EXPECT_EQ(prepared.raw, "From: a@b.c\r\nDate: x\r\nMessage-ID: <1@x>\r\n\r\nBcc: in the body\r\n");
  EXPECT_EQ(prepared.tag, "news");
}

TEST(NormalizeLineEnds, MakesCrlf) {
  EXPECT_EQ(normalize_line_ends("a\nb\rc\r\nd\r\r\n\n"), "a\r\nb\r\nc\r\nd\r\n\r\n\r\n");
  EXPECT_EQ(normalize_line_ends("a\r\nb"), "a\r\nb");
  EXPECT_EQ(normalize_line_ends("\r"), "\r\n");
  EXPECT_EQ(normalize_line_ends(""), "");
}

}  // namespace
}  // namespace posthaste::intake
