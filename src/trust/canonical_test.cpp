#include <gtest/gtest.h>

#include <random>

#include "base/strings.h"
#include "trust/canonical_body.h"
#include "trust/canonical_header.h"

namespace posthaste::trust {
namespace {

std::string sha256(std::string_view bytes) {
  Sha256 digest;
  digest.update(bytes);
  return base64_encode(digest.finish());
}

std::string body_hash(std::vector<std::string_view> pieces) {
  RelaxedBodyHash hash;
  for (auto piece : pieces) hash.update(piece);
  return base64_encode(hash.finish());
}

// RFC 6376 3.4.4 step by step, on the body as it is on the wire.
std::string reference(std::string_view body) {
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (body[i] != '\r' && body[i] != '\n') {
      lines.back() += body[i];
      continue;
    }
    if (body.substr(i, 2) == "\r\n") ++i;
    lines.emplace_back();
  }
  std::string out;
  for (auto& line : lines) {
    std::string reduced;
    for (char c : line) {
      const bool blank = c == ' ' || c == '\t';
      if (!blank) reduced += c;
      if (blank && !reduced.ends_with(' ')) reduced += ' ';
    }
    if (reduced.ends_with(' ')) reduced.pop_back();
    out += reduced + "\r\n";
  }
  while (out.ends_with("\r\n\r\n")) out.resize(out.size() - 2);
  return out == "\r\n" ? "" : out;
}

TEST(RelaxedBody, KnownHashes) {
  EXPECT_EQ(body_hash({}), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  EXPECT_EQ(body_hash({"This is a message to test the delivery of messages through Postal.\r\n"}),
            "mvuu3b9qEfdaZCSaVxLvRSqKbMB5YN4qxRCRw5FtvuE=");
  // RFC 8463 appendix A
  EXPECT_EQ(body_hash({"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"}),
            "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=");
}

TEST(RelaxedBody, OnlyBlankLinesAreAnEmptyBody) {
  for (std::string_view body : {"\r\n", "\n\n\n", " \r\n\t\r\n", "\r", "  ", "\r\r\n"}) {
    EXPECT_EQ(body_hash({body}), sha256("")) << testing::PrintToString(std::string(body));
  }
}

TEST(RelaxedBody, LineEndsOfAllKindsAreOne) {
  const auto wanted = sha256("one\r\ntwo\r\n\r\nthree\r\n");
  EXPECT_EQ(body_hash({"one\r\ntwo\r\n\r\nthree\r\n"}), wanted);
  EXPECT_EQ(body_hash({"one\ntwo\n\nthree"}), wanted);
  EXPECT_EQ(body_hash({"one\rtwo\r\rthree\r\r\r"}), wanted);
  EXPECT_EQ(body_hash({"one\r", "\ntwo\n", "\r", "\n", "three  "}), wanted);
}

TEST(RelaxedBody, TwoLineFeedsAfterACarriageReturnAreTwoLines) {
  EXPECT_EQ(body_hash({"a\r", "\n", "\n", "b"}), sha256("a\r\n\r\nb\r\n"));
}

TEST(RelaxedBody, WhiteSpaceIsReduced) {
  EXPECT_EQ(body_hash({"  a \t b\t\r\n\tc  \r\n \r\n"}), sha256(" a b\r\n c\r\n"));
  EXPECT_EQ(body_hash({"a ", " b ", "\r\nc"}), sha256("a b\r\nc\r\n"));
}

TEST(RelaxedBody, ManyEmptyLinesInTheMiddleStay) {
  std::string gap(5000, '\n'), canonical;
  for (int i = 0; i < 5000; ++i) canonical += "\r\n";
  EXPECT_EQ(body_hash({"a" + gap + "b"}), sha256("a" + canonical + "b\r\n"));
}

TEST(RelaxedBody, RandomBodiesMatchTheReferenceHoweverTheyAreCut) {
  std::mt19937 random(6376);
  constexpr std::string_view kAlphabet = "ab \t\r\n  \r\n.\xc3";
  for (int round = 0; round < 20000; ++round) {
    std::string body;
    for (auto left = random() % 60; left > 0; --left) {
      if (random() % 4 == 0) {
        body += "\r\n";
      } else if (random() % 50 == 0) {
        body += std::string(300, 'x');
      } else {
        body += kAlphabet[random() % kAlphabet.size()];
      }
    }
    std::vector<std::string_view> pieces;
    for (std::string_view rest = body; !rest.empty();) {
      const std::size_t some = random() % 3 == 0 ? rest.size() : random() % (rest.size() + 1);
      pieces.push_back(rest.substr(0, some));
      rest.remove_prefix(some);
    }
    ASSERT_EQ(body_hash(pieces), sha256(reference(body))) << testing::PrintToString(body);
  }
}

TEST(RelaxedField, IsUnfoldedAndReduced) {
  EXPECT_EQ(relaxed_field("subject", "SUBJect: \t one\r\n  two \n\tthree\t "), "subject:one two three");
  EXPECT_EQ(relaxed_field("subject", "Subject:"), "subject:");
  EXPECT_EQ(relaxed_field("subject", "Subject : a: b"), "subject:a: b");
}

TEST(HeaderBlock, FieldsKeepTheirContinuationLines) {
  const auto block = parse_header_block("From: a@b\r\nSubject: x\n y\r\n\tz\rTo : c@d\r\nno field\r\n");
  ASSERT_EQ(block.fields.size(), 3u);
  EXPECT_EQ(block.fields[1].name, "subject");
  EXPECT_EQ(block.fields[1].line, "Subject: x\n y\r\n\tz");
  EXPECT_EQ(block.fields[2].name, "to");
  EXPECT_FALSE(block.ended_early);
}

TEST(HeaderBlock, AnEmptyLineMadeByABareCarriageReturnEndsIt) {
  const auto block = parse_header_block("From: a@b\r\r\nSubject: x");
  EXPECT_EQ(block.fields.size(), 1u);
  EXPECT_TRUE(block.ended_early);
  EXPECT_EQ(block.spilled, "Subject: x");
}

}  // namespace
}  // namespace posthaste::trust
