#include "mail/transfer_decode.h"

#include <gtest/gtest.h>

namespace posthaste::mail {
namespace {

using enum TransferEncoding;

TEST(TransferEncoding, IsForgivingAboutItsName) {
  EXPECT_EQ(transfer_encoding(""), None);
  EXPECT_EQ(transfer_encoding(" \"Base64\" (of course)"), Base64);
  EXPECT_EQ(transfer_encoding("7-bit"), SevenBit);
  EXPECT_EQ(transfer_encoding("8bits"), EightBit);
  EXPECT_EQ(transfer_encoding("QUOTED-PRINTABLE"), QuotedPrintable);
  EXPECT_EQ(transfer_encoding("x-nothing"), Binary);
}

TEST(DecodeTransfer, Base64SkipsWhatIsForeign) {
  EXPECT_EQ(decode_transfer("SGVs bG8!\r\n", Base64), "Hello");
  EXPECT_EQ(decode_transfer("w6k", Base64), "\xC3\xA9");
  EXPECT_EQ(decode_transfer("w6 k=!", Base64), "\xC3\xA9");
  EXPECT_EQ(decode_transfer("SGVsbG8=\r\nIHdvcmxk", Base64), "Hello world") << "two encodings, one behind the other";
  EXPECT_EQ(decode_transfer("A", Base64), "");
  EXPECT_EQ(decode_transfer("", Base64), "");
}

TEST(DecodeTransfer, QuotedPrintableKeepsHardBreaksOnly) {
  EXPECT_EQ(decode_transfer("one=20  \r\nt=\r\nwo\r\n", QuotedPrintable), "one \r\ntwo\r\n");
  EXPECT_EQ(decode_transfer("=C3=a9=", QuotedPrintable), "\xC3\xA9");
  EXPECT_EQ(decode_transfer("a=0D=0A\r\nb=0A\r\nc=0D=0A", QuotedPrintable), "a\r\nb\r\nc\r\n");
  EXPECT_EQ(decode_transfer("1=2 =ZZ =4", QuotedPrintable), "1=2 =ZZ =4");
}

TEST(DecodeTransfer, Uuencode) {
  EXPECT_EQ(decode_transfer("text\r\nbegin 644 a.txt\r\n#0V%T\r\n`\r\nend\r\nmore\r\n", Uuencode), "Cat");
  EXPECT_EQ(decode_transfer("begin 644 a\nM", Uuencode).size(), 45u);
}

}  // namespace
}  // namespace posthaste::mail
