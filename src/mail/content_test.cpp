#include "mail/content.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace posthaste::mail {
namespace {

using testing::ElementsAre;
using testing::Pair;

Content read(const std::string& fields_and_body) {
  return read_content("From: a@b.test\r\nMime-Version: 1.0\r\n" + fields_and_body);
}

TEST(ReadContent, ASinglePartIsTheBodyOfItsType) {
  EXPECT_EQ(read("\r\nHi\r\n").plain, "Hi\n");
  EXPECT_EQ(read("Content-Type: text/plain\r\n\r\nHi\r\n").plain, "Hi\n");
  const Content html = read("Content-Type: text/html\r\n\r\n<p>\r\n");
  EXPECT_EQ(html.html, "<p>\n");
  EXPECT_EQ(html.plain, std::nullopt);
}

TEST(ReadContent, TheFirstPartOfATypeIsTheBody) {
  const std::string parts =
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n1\r\n"
      "--b\r\nContent-Type: text/plain\r\n\r\n2\r\n--b--\r\n";
  const Content content = read(parts);
  EXPECT_EQ(content.plain, "1");
  EXPECT_TRUE(content.attachments.empty());
}

TEST(ReadContent, LineEndsFollowTheTransferEncoding) {
  EXPECT_EQ(read("Content-Transfer-Encoding: quoted-printable\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
                 "Gr=C3=BC=C3=9Fe\r\n")
                .plain,
            "Gr\xC3\xBC\xC3\x9F"
            "e\r\n");
  EXPECT_EQ(read("Content-Transfer-Encoding: base64\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nR3LDvMOfZQ==\r\n")
                .plain,
            "Gr\xC3\xBC\xC3\x9F"
            "e");
  EXPECT_EQ(read("Content-Transfer-Encoding: 8bit\r\n\r\na\r\nb").plain, "a\r\nb");
}

TEST(ReadContent, CharsetsBecomeUtf8AndNothingIsInvalid) {
  EXPECT_EQ(read("Content-Type: text/plain; charset=iso-8859-1\r\n\r\ncaf\xE9").plain, "caf\xC3\xA9");
  EXPECT_EQ(read("\r\ncaf\xC3\xA9").plain, "caf\xC3\xA9");
  EXPECT_EQ(read("\r\ncaf\xE9").plain, "caf\xC3\xA9");
}

TEST(ReadContent, NamedAndAttachedPartsAreFiles) {
  const Content content = read(
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
      "--b\r\nContent-Type: text/plain; name=notes.txt\r\nContent-Transfer-Encoding: 7bit\r\n\r\nnotes\r\n\r\n"
      "--b\r\nContent-Type: image/png\r\nContent-Disposition: attachment; filename*=UTF-8''na%C3%AFve.png\r\n"
      "Content-Transfer-Encoding: base64\r\n\r\niVBORw==\r\n"
      "--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment\r\n\r\n%PDF\r\n--b--\r\n");
  EXPECT_EQ(content.plain, std::nullopt);
  ASSERT_EQ(content.attachments.size(), 3u);
  EXPECT_EQ(content.attachments[0].name, "notes.txt");
  EXPECT_EQ(content.attachments[0].bytes, "notes\n");
  EXPECT_EQ(content.attachments[1].name, "na\xC3\xAFve.png");
  EXPECT_EQ(content.attachments[1].bytes, "\x89PNG");
  EXPECT_EQ(content.attachments[2].name, "attachment-1.pdf");
}

TEST(ReadContent, DamageIsNoFailure) {
  EXPECT_EQ(read_content("").plain.value_or(""), "");
  read("Content-Type: multipart/mixed\r\n\r\nno boundary");
  read("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: image/png\r\n\r\ncut");
  std::string deep;
  for (int i = 0; i < 3000; ++i)
    deep +=
        "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) + "\r\n\r\n--b" + std::to_string(i) + "\r\n";
  read(deep);
}

TEST(HeaderMap, WellKnownNamesComeFirstInTheirOrder) {
  EXPECT_THAT(
      header_map("X-Twice: 1\r\nSubject: =?utf-8?q?Pr=C3=BCfung?=\r\nX-Twice: 2\r\nTo: a@b.test\r\nFrom: "
                 "=?utf-8?q?J=C3=BCrgen?= <c@d.test>\r\n"
                 "Content-Type: multipart/mixed;\r\n boundary=\"b\"\r\nDate: Mon, 01 Jan 2024 00:00:00 "
                 "+0000\r\n\r\nTo: not@this.test\r\n"),
      ElementsAre(Pair("date", ElementsAre("Mon, 01 Jan 2024 00:00:00 +0000")),
                  Pair("from", ElementsAre("\"J\xC3\xBCrgen\" <c@d.test>")), Pair("to", ElementsAre("a@b.test")),
                  Pair("subject", ElementsAre("Pr\xC3\xBC"
                                              "fung")),
                  Pair("content-type", ElementsAre("multipart/mixed; boundary=\"b\"")),
                  Pair("x-twice", ElementsAre("1", "2"))));
}

TEST(HeaderMap, AddressesAndIdsAreRenderedAnew) {
  EXPECT_THAT(
      header_map("From: \"O'Brien\" <o@b.com>\r\nTo: A.B. Smith <x@y.com>,c@d.com\r\nCc: undisclosed-recipients:;\r\n"
                 "Message-ID: no-brackets@x\r\nReferences: <a@b><c@d>\r\n"),
      ElementsAre(Pair("from", ElementsAre("O'Brien <o@b.com>")),
                  Pair("to", ElementsAre("\"A.B. Smith\" <x@y.com>, c@d.com")), Pair("cc", ElementsAre("")),
                  Pair("message-id", ElementsAre("<no-brackets@x>")), Pair("references", ElementsAre("<a@b> <c@d>"))));
}

}  // namespace
}  // namespace posthaste::mail
