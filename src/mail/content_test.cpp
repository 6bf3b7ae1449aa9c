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
  EXPECT_EQ(content.plain, "notes\n") << "for want of another body";
  ASSERT_EQ(content.attachments.size(), 3u);
  EXPECT_EQ(content.attachments[0].name, "notes.txt");
  EXPECT_EQ(content.attachments[0].bytes, "notes\n");
  EXPECT_EQ(content.attachments[1].name, "na\xC3\xAFve.png");
  EXPECT_EQ(content.attachments[1].bytes, "\x89PNG");
  EXPECT_EQ(content.attachments[2].name, "attachment-1.pdf");
}

Content read_parts(const std::vector<std::string>& parts) {
  std::string text = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";
  for (const auto& part : parts) text += "--b\r\n" + part + "\r\n";
  return read(text + "--b--\r\n");
}

TEST(ReadContent, ANamedTextIsNoBodyBesideAnother) {
  const Content content =
      read_parts({"Content-Type: text/plain; name=notes.txt\r\n\r\nnotes", "Content-Type: text/html\r\n\r\n<p>"});
  EXPECT_EQ(content.plain, std::nullopt);
  EXPECT_EQ(content.html, "<p>");
  EXPECT_EQ(content.attachments.size(), 1u);
}

TEST(ReadContent, AnAttachedTextWithANameIsNeverTheBody) {
  const Content content =
      read_parts({"Content-Disposition: attachment; filename=a.txt\r\nContent-Type: text/plain\r\n\r\na"});
  EXPECT_EQ(content.plain, std::nullopt);
  ASSERT_EQ(content.attachments.size(), 1u);
  EXPECT_EQ(content.attachments[0].full_content_type, "text/plain");
}

TEST(ReadContent, FilesWithoutNamesGetStableOnes) {
  const Content content =
      read_parts({"Content-Type: text/plain\r\n\r\nbody", "Content-Type: text/calendar\r\n\r\nBEGIN",
                  "Content-Type: image/png\r\nContent-ID: <x>\r\n\r\nP",
                  "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny"});
  ASSERT_EQ(content.attachments.size(), 3u);
  EXPECT_EQ(content.attachments[0].name, "attachment-1.ics");
  EXPECT_EQ(content.attachments[1].name, "attachment-2.png");
  EXPECT_EQ(content.attachments[2].name, "message-3.eml");
  EXPECT_EQ(content.attachments[2].bytes, "Subject: x\r\n\r\ny");
}

TEST(ReadContent, AMessageThatIsAFileHasItAsAttachment) {
  const Content content = read("Content-Type: application/pdf; name=r.pdf\r\n\r\n%PDF\r\n");
  EXPECT_EQ(content.plain, std::nullopt);
  ASSERT_EQ(content.attachments.size(), 1u);
  EXPECT_EQ(content.attachments[0].bytes, "%PDF\r\n");
}

TEST(ReadContent, NamesAreReadWhicheverWayTheyAreWritten) {
  const auto name = [](const std::string& fields) {
    const Content content = read_parts({fields + "\r\n\r\nx"});
    return content.attachments.size() == 1 ? content.attachments[0].name : "none";
  };
  const std::string type = "Content-Type: application/x-a";
  const std::string file = type + "\r\nContent-Disposition: attachment; ";
  EXPECT_EQ(name(type + "; name=type.bin\r\nContent-Disposition: attachment; filename=other.bin"), "type.bin");
  EXPECT_EQ(name(file + "filename=a b.bin"), "a b.bin");
  EXPECT_EQ(name(file + "filename=a.bin; size=3"), "a.bin");
  EXPECT_EQ(name(file + "filename*=iso-8859-1'en-us'caf%E9.bin"), "caf\xC3\xA9.bin");
  EXPECT_EQ(name(file + "filename*0=\"100%25 \"; filename*1*=%20b"), "100%25  b");
  EXPECT_EQ(name(type + "; name=\"=?utf-8?B?Y2Fmw6k=?= =?utf-8?B?IDIuYmlu?=\""), "caf\xC3\xA9 2.bin");
  EXPECT_EQ(name(type + "; name=\"caf\xE9.bin\""), "caf\xC3\xA9.bin");
  EXPECT_EQ(name(type + "\r\nContent-Location: http://x.test/a"), "http://x.test/a");
  EXPECT_EQ(name(type + "; name=\"\""), "");
  std::string pieces = file;
  for (int i = 11; i >= 0; --i) pieces += fmt::format("filename*{}={}; ", i, char('a' + i));
  EXPECT_EQ(name(pieces), "abcdefghijkl");
}

TEST(ReadContent, TheTypeOfAFileIsShownWithItsParameters) {
  const Content content =
      read_parts({"Content-Type: Text/CSV; name=\"a b.csv\"; charset=us-ascii (yes);\r\n\tx=\r\n\r\n1"});
  ASSERT_EQ(content.attachments.size(), 1u);
  EXPECT_EQ(content.attachments[0].content_type, "text/csv");
  EXPECT_EQ(content.attachments[0].full_content_type, "text/csv; charset=us-ascii; name=\"a b.csv\"; x=\"\"");
}

TEST(ReadContent, UnknownTransferEncodingsAreBinary) {
  EXPECT_EQ(read("Content-Transfer-Encoding: x-nothing\r\n\r\na\r\nb").plain, "a\r\nb");
  EXPECT_EQ(read("Content-Transfer-Encoding: 8bit\r\n\r\n").plain, "");
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

TEST(HeaderMap, DatesHaveOneFormAndEmptyFieldsNoValue) {
  EXPECT_THAT(header_map("Date: 3 Nov 2016 10:43 EST\r\nTo: \r\nSubject:\r\n"),
              ElementsAre(Pair("date", ElementsAre("Thu, 03 Nov 2016 10:43:00 -0500")),
                          Pair("to", ElementsAre(std::nullopt)), Pair("subject", ElementsAre(std::nullopt))));
  EXPECT_THAT(header_map("Date: yesterday\r\n"), ElementsAre(Pair("date", ElementsAre("yesterday"))));
}

TEST(LastValue, IsOfTheLastFieldOfThatName) {
  const std::string message = "From: a@b.test\r\nAuto-Submitted: no\r\nfrom: C <c@d.test>\r\nTo:\r\n\r\n";
  const auto fields = header_fields(message);
  EXPECT_EQ(last_value(fields, "from"), "C <c@d.test>");
  EXPECT_EQ(last_value(fields, "auto-submitted"), "no");
  EXPECT_EQ(last_value(fields, "to"), std::nullopt);
  EXPECT_EQ(last_value(fields, "cc"), std::nullopt);
}

}  // namespace
}  // namespace posthaste::mail
