#include "mail/header.h"

#include <gtest/gtest.h>

#include "base/strings.h"

namespace posthaste::mail {
namespace {

TEST(HeaderFields, StopAtTheEmptyLineAndKeepFolding) {
  const auto fields = header_fields("A: 1\r\nLong: one\r\n two\r\n\tthree\r\n\r\nB: 2\r\n");
  ASSERT_EQ(fields.size(), 2u);
  EXPECT_EQ(fields[0].name, "A");
  EXPECT_EQ(fields[0].value, " 1");
  EXPECT_EQ(fields[0].whole, "A: 1\r\n");
  EXPECT_EQ(fields[1].value, " one\r\n two\r\n\tthree");
  EXPECT_EQ(fields[1].whole, "Long: one\r\n two\r\n\tthree\r\n");
  EXPECT_EQ(unfold(fields[1].value), "one two\tthree");
}

TEST(HeaderFields, ForgiveBlanksBeforeTheColonAndSkipWhatIsNoField) {
  const auto fields = header_fields(" lost\nnonsense\n goes with it\nFrom \t: a@b\nTwo words: x\n y\n: z\nTo:c@d");
  ASSERT_EQ(fields.size(), 2u);
  EXPECT_TRUE(fields[0].is("from"));
  EXPECT_EQ(fields[1].value, "c@d");
}

TEST(HeaderFields, ALineOfBlanksContinuesTheField) {
  const auto fields = header_fields("Subject: x\r\n \r\nFrom: a@b\r\n\r\n");
  ASSERT_EQ(fields.size(), 2u);
  EXPECT_TRUE(fields[1].is("From"));
}

TEST(HeaderFields, AreBounded) {
  std::string block;
  for (int i = 0; i < 1500; ++i) block += "X: y\r\n";
  EXPECT_EQ(header_fields(block).size(), kMaxHeaderFields);
}

TEST(HeaderBlock, EndsBeforeTheEmptyLine) {
  EXPECT_EQ(header_block("A: 1\r\n\r\nbody"), "A: 1\r\n");
  EXPECT_EQ(header_block("A: 1\n\nbody\n\n"), "A: 1\n");
  EXPECT_EQ(header_block("A: 1\r\n"), "A: 1\r\n");
  EXPECT_EQ(header_block("\r\nbody"), "");
}

TEST(DecodeText, ReadsEncodedWordsAnywhere) {
  EXPECT_EQ(decode_text("=?utf-8?q?Gr=C3=BC=C3=9Fe?= again"), "Grüße again");
  EXPECT_EQ(decode_text("=?UTF-8?B?SsO2cmc=?="), "Jörg");
  EXPECT_EQ(decode_text("x=?iso-8859-1?Q?caf=E9_au_lait?=y"), "xcafé au laity");
  EXPECT_EQ(decode_text("=?utf-8*en?q?a?= =?utf-8?q?b?=\r\n =?utf-8?q?c?= d"), "abc d");
  EXPECT_EQ(decode_text("\"=?utf-8?q?=E2=82=AC?=\""), "\"€\"");
  EXPECT_EQ(decode_text("=?iso-2022-jp?B?GyRCJCIbKEI=?="), "あ");
}

TEST(DecodeText, JoinsACharacterThatWasCutInTwo) {
  EXPECT_EQ(decode_text("=?utf-8?q?Gr=C3?=\r\n =?utf-8?q?=BC=C3=9Fe?="), "Grüße");
}

TEST(DecodeText, IsAlwaysUtf8) {
  EXPECT_EQ(decode_text("caf\xe9 \x80"), "café €");
  EXPECT_EQ(decode_text("raw Grüße"), "raw Grüße");
  EXPECT_EQ(decode_text("=?x-unknown?q?caf=E9?="), "café");
  EXPECT_EQ(decode_text("=?utf-8?q?caf=E9?="), "café");
  for (const auto* odd : {"=?", "=?a", "=?a?", "=?a?q?", "=?a?q?x", "=??q?x?=", "=?a?z?x?=", "=?utf-8?q?=?=", "=?=?="})
    EXPECT_TRUE(is_utf8(decode_text(odd))) << odd;
}

TEST(SubjectAndMessageId, AreWhatTheColumnsHold) {
  const std::string message =
      "Subject: first\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMessage-ID: <a@b>\r\nMessage-Id: x <c@d> y\r\n\r\n";
  const auto fields = header_fields(message);
  EXPECT_EQ(subject_of(fields), "Grüße");
  EXPECT_EQ(message_id_of(fields), "c@d");
  EXPECT_EQ(subject_of({}), "");
  EXPECT_EQ(message_id_of({}), "");
}

TEST(SubjectAndMessageId, AreCut) {
  std::string subject = "Subject: ";
  for (int i = 0; i < 300; ++i) subject += "é";
  const std::string message = subject + "\r\nMessage-ID: <" + std::string(300, 'x') + "@y>\r\n";
  const auto fields = header_fields(message);
  EXPECT_EQ(subject_of(fields).size(), 400u);
  EXPECT_EQ(message_id_of(fields), std::string(255, 'x'));
}

TEST(WithoutFields, DropsFieldsWithTheirContinuationLines) {
  const std::vector<std::string> names = {"X-Postal-Spam", "X-Postal-Threat"};
  EXPECT_EQ(without_fields("x-postal-spam: no\r\n\tcontinued\r\nA: 1\r\nX-Postal-Spam-Score : 0\r\nB: 2\r\n", names),
            "A: 1\r\nB: 2\r\n");
  EXPECT_EQ(without_fields("A: 1\nX-Postal-Threat: no", names), "A: 1") << "without a line end, as it came";
  EXPECT_EQ(without_fields("X-Postal-Threat: no", names), "");
  EXPECT_EQ(without_fields("A: 1\r\n\r\nX-Postal-Spam: body\r\n", names), "A: 1\r\n\r\nX-Postal-Spam: body\r\n");
}

TEST(WithoutFields, LooksBehindTheFieldsThatOthersRead) {
  std::string block;
  for (std::size_t i = 0; i <= kMaxHeaderFields; ++i) block += "A: 1\r\n";
  const std::vector<std::string> names = {"X-Postal-Spam"};
  EXPECT_EQ(without_fields(block + "X-Postal-Spam: no\r\n", names), block);
}

}  // namespace
}  // namespace posthaste::mail
