#include "mail/build.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "base/strings.h"
#include "mail/build_content.h"
#include "mail/build_header.h"
#include "mail/content.h"

namespace posthaste::mail {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

// aaaa..., bbbb..., so that each boundary is known.
RandomText counting() {
  return [letter = 'a'](std::size_t length) mutable { return std::string(length, letter++); };
}

Composition simple() {
  Composition message;
  message.fields = text_field("From", "a@sender.test") + text_field("Subject", "Hello");
  return message;
}

TEST(BuildMessage, OneBodyIsTheWholeMessage) {
  Composition message = simple();
  message.plain = "Hi";
  message.extra_fields = text_field("X-A", "b");
  EXPECT_EQ(build_message(message, counting()),
            "From: a@sender.test\r\nSubject: Hello\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 7bit\r\nX-A: b\r\n\r\nHi");
}

TEST(BuildMessage, TwoBodiesAreAlternatives) {
  Composition message = simple();
  message.plain = "Hi";
  message.html = "<p>Hi</p>";
  const std::string b(24, 'a');
  EXPECT_THAT(
      build_message(message, counting()),
      EndsWith("Content-Type: multipart/alternative;\r\n boundary=\"=_ph_" + b + "\"\r\n\r\n--=_ph_" + b +
               "\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\nHi\r\n--=_ph_" +
               b + "\r\nContent-Type: text/html; charset=UTF-8\r\nContent-Transfer-Encoding: 7bit\r\n\r\n<p>Hi</p>" +
               "\r\n--=_ph_" + b + "--\r\n"));
}

TEST(BuildMessage, ABoundaryOccursInNoPart) {
  Composition message = simple();
  message.plain = "--=_ph_" + std::string(24, 'a');
  message.html = "x";
  EXPECT_THAT(build_message(message, counting()), HasSubstr("boundary=\"=_ph_" + std::string(24, 'b') + "\""));
}

TEST(BuildMessage, AttachmentsKeepTheirBytes) {
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  Composition message = simple();
  message.plain = "Hi";
  message.attachments = {{.name = "a.txt", .content_type = "text/plain", .data = "a\nb\n"},
                         {.name = "b.bin", .content_type = "no type\r\nX: y", .data = all},
                         {.name = "m.eml", .content_type = "message/rfc822", .data = "Subject: in\r\n\r\ninner\r\n"}};
  const std::string built = build_message(message, counting());
  const Content read = read_content(built);
  ASSERT_EQ(read.attachments.size(), 3u);
  EXPECT_EQ(read.attachments[0].bytes, "a\nb\n");
  EXPECT_EQ(read.attachments[1].bytes, all);
  EXPECT_EQ(read.attachments[1].content_type, "application/octet-stream");
  EXPECT_EQ(read.attachments[2].bytes, "Subject: in\r\n\r\ninner\r\n");
  EXPECT_THAT(built, HasSubstr("message/rfc822\r\nContent-Transfer-Encoding: 7bit"));
  EXPECT_THAT(built, Not(HasSubstr("X: y")));
  EXPECT_EQ(read.plain, "Hi");
}

TEST(BuildMessage, PicturesThatTheHtmlShowsAreRelatedToIt) {
  Composition message = simple();
  message.html = "<img src=\"cid:logo\">";
  message.attachments = {
      {.name = "l.png", .content_type = "image/png", .content_id = "logo", .is_inline = true, .data = "P"},
      {.name = "f.pdf", .content_type = "application/pdf", .data = "D"}};
  const std::string built = build_message(message, counting());
  const auto mixed = built.find("multipart/mixed"), related = built.find("multipart/related");
  EXPECT_LT(mixed, related);
  EXPECT_THAT(built, HasSubstr("Content-ID: <logo>"));
  EXPECT_THAT(built, HasSubstr("Content-Disposition: inline"));
}

TEST(EncodeText, ChoosesTheSmallestEncodingThatHolds) {
  EXPECT_EQ(encode_text("a\nb\rc\r\n").bytes, "a\r\nb\r\nc\r\n");
  EXPECT_EQ(encode_text("plain").encoding, "7bit");
  EXPECT_EQ(encode_text(std::string(999, 'x')).encoding, "quoted-printable");
  EXPECT_EQ(encode_text("nul \0 here" + std::string(1, '\0')).encoding, "quoted-printable");
  EXPECT_EQ(encode_text("caf\xC3\xA9 is ASCII for the most part").encoding, "quoted-printable");
  EXPECT_EQ(encode_text("\xC3\xA9\xC3\xA9\xC3\xA9").encoding, "base64");
}

TEST(EncodeText, QuotedPrintableLinesAreShortAndKeepBlanksAtTheirEnd) {
  const auto encoded = encode_text("\xC3\xA9 " + std::string(200, 'x') + " \nend=\t\n").bytes;
  for (auto line : split(encoded, '\n')) EXPECT_LE(line.size(), 77u) << line;
  EXPECT_THAT(encoded, HasSubstr("=20\r\nend=3D=09\r\n"));
}

TEST(TextField, FoldsAtBlanks) {
  std::string long_text;
  for (int i = 0; i < 40; ++i) long_text += "word ";
  const std::string field = text_field("X-Long", long_text);
  for (auto line : split(field, '\n')) EXPECT_LE(line.size(), 77u);
  EXPECT_EQ(replace_all(field, "\r\n", ""), "X-Long: " + std::string(trim(long_text)));
  EXPECT_EQ(text_field("X-Empty", ""), "X-Empty: \r\n");
}

TEST(TextField, NoValueMakesASecondField) {
  const std::vector<std::string> values = {"a\r\nBcc: v@x", "a\nBcc: v@x", "a\r\n\r\nbody", "\r\n.\r\n", {"a\0b", 3}};
  for (const auto& value : values) {
    const std::string field = text_field("X-A", value);
    const auto fields = header_map(field);
    ASSERT_EQ(fields.size(), 1u) << field;
    EXPECT_EQ(fields[0].first, "x-a");
    EXPECT_TRUE(field.ends_with("\r\n"));
    EXPECT_THAT(field.substr(0, field.size() - 2), Not(HasSubstr("\r\nB")));
  }
}

TEST(TextField, EncodedWordsAreShortAndReadBack) {
  std::string subject;
  for (int i = 0; i < 8; ++i)
    subject +=
        "Pr\xC3\xBC"
        "fung \xE2\x9C\x93 ";
  const std::string field = text_field("Subject", subject);
  EXPECT_TRUE(is_ascii(field));
  for (auto line : split(field, '\n')) EXPECT_LE(line.size(), 87u) << line;
  EXPECT_THAT(header_map(field)[0].second, ElementsAre(std::string(trim(subject))));

  std::string blankless;
  for (int i = 0; i < 400; ++i) blankless += "\xE6\xBC\xA2";
  EXPECT_THAT(header_map(text_field("Subject", blankless))[0].second, ElementsAre(blankless));
  EXPECT_THAT(header_map(text_field("Subject", "left \xC3\xA4  \xC3\xB6 right"))[0].second,
              ElementsAre("left \xC3\xA4  \xC3\xB6 right"));
}

TEST(AddressField, EncodesNamesAndDomains) {
  EXPECT_EQ(address_field("To", {"a@b.test", "\"Doe, J\" <j@b.test>"}), "To: a@b.test, \"Doe, J\" <j@b.test>\r\n");
  EXPECT_EQ(address_field("To", {"Zo\xC3\xAB <z@b.test>"}), "To: =?UTF-8?Q?Zo=C3=AB?= <z@b.test>\r\n");
  EXPECT_EQ(address_field("To", {"a@b\xC3\xBC"
                                 "cher.test"}),
            "To: a@xn--bcher-kva.test\r\n");
  EXPECT_EQ(address_field("To", {"no address"}), "To: no address\r\n");
  EXPECT_THAT(address_field("To", {"x\r\nBcc: y@z"}), Not(HasSubstr("\r\nBcc")));
}

TEST(AddressField, FoldsBetweenAddresses) {
  const std::string field = address_field("To", std::vector<std::string>(50, "somebody.or.other@rcpt.test"));
  for (auto line : split(field, '\n')) EXPECT_LE(line.size(), 77u);
}

TEST(Parameter, NamesOutsideAsciiHaveAFallback) {
  EXPECT_EQ(parameter("filename", "a.txt"), "filename=a.txt");
  EXPECT_EQ(parameter("filename", "my file (1).png"), "filename=\"my file (1).png\"");
  EXPECT_EQ(parameter("filename", "na\xC3\xAFve.pdf"), "filename*=UTF-8''na%C3%AFve.pdf;\r\n filename=\"na_ve.pdf\"");
}

TEST(ContentType, IsCheckedBeforeItIsWritten) {
  for (const char* good : {"text/plain", "text/calendar; method=REQUEST; charset=\"utf-8\"", "image/svg+xml"})
    EXPECT_TRUE(is_content_type(good)) << good;
  for (const char* bad : {"", "text", "text/", "a b/c", "text/plain\r\nX: y", "text/plain; x", "text/plain; a=\"b"})
    EXPECT_FALSE(is_content_type(bad)) << bad;
}

// Python's parser as a second opinion.
TEST(BuildMessage, AnotherParserReadsTheSame) {
  Composition message = simple();
  message.fields += text_field("X-Unicode",
                               "Gr\xC3\xBC\xC3\x9F"
                               "e \xE2\x9C\x93");
  message.fields += address_field("To", {"Zo\xC3\xAB \xC3\x9Cnal <zoe@rcpt.test>"});
  message.plain =
      "Gr\xC3\xBC\xC3\x9F"
      "e\nzweite Zeile ";
  message.html = "<img src='cid:i'>";
  message.attachments = {
      {.name = "na\xC3\xAFve \"x\".pdf", .content_type = "application/pdf", .data = "%PDF"},
      {.name = "i.png", .content_type = "image/png", .content_id = "i", .is_inline = true, .data = "\x89PNG"}};
  const auto path = std::filesystem::temp_directory_path() / ("posthaste-build-" + random_hex(8) + ".eml");
  std::ofstream(path, std::ios::binary) << build_message(message, random_alphanumeric);
  const std::string script = R"(
import email, email.policy, sys
m = email.message_from_bytes(open(sys.argv[1], 'rb').read(), policy=email.policy.default)
print(m['x-unicode'], '|', m['to'], '|', m.get_content_type(), '|', len(m.defects))
for p in m.walk():
    if not p.is_multipart(): print(p.get_content_type(), repr(p.get_filename()), repr(p.get_payload(decode=True)), len(p.defects))
)";
  const auto program = path.string() + ".py";
  std::ofstream(program) << script;
  FILE* run = popen(("PYTHONIOENCODING=utf-8 /usr/bin/python3 " + program + " " + path.string()).c_str(), "r");
  std::string output;
  for (int c; (c = std::fgetc(run)) != EOF;) output += static_cast<char>(c);
  EXPECT_EQ(pclose(run), 0);
  std::filesystem::remove(path);
  std::filesystem::remove(program);
  EXPECT_EQ(output,
            "Gr\xC3\xBC\xC3\x9F"
            "e \xE2\x9C\x93 | Zo\xC3\xAB \xC3\x9Cnal <zoe@rcpt.test> | multipart/mixed | 0\n"
            "text/plain None b'Gr\\xc3\\xbc\\xc3\\x9fe\\r\\nzweite Zeile ' 0\n"
            "text/html None b\"<img src='cid:i'>\" 0\n"
            "image/png 'i.png' b'\\x89PNG' 0\n"
            "application/pdf 'na\xC3\xAFve _x_.pdf' b'%PDF' 0\n");
}

}  // namespace
}  // namespace posthaste::mail
