#include "smtp/proto/command.h"

#include <gtest/gtest.h>

namespace posthaste::smtp::proto {
namespace {

Verb verb(std::string_view line) { return parse_command(line).verb; }

TEST(Command, KnowsVerbsInAnyCase) {
  EXPECT_EQ(verb("QUIT"), Verb::Quit);
  EXPECT_EQ(verb("quit "), Verb::Quit);
  EXPECT_EQ(verb("HELO: name"), Verb::Helo);
  EXPECT_EQ(parse_command("HELO: name").argument, " name");
  EXPECT_EQ(parse_command("EHLO some words more").argument, "some words more");
  EXPECT_EQ(parse_command("ehlo").argument, "");
  EXPECT_EQ(parse_command("mail from:<a@b>").argument, ":<a@b>");
  EXPECT_EQ(parse_command("MAIL FROM").argument, "");
  EXPECT_EQ(parse_command("AUTH PLAIN abc=").argument, "PLAIN abc=");
}

TEST(Command, TakesNothingElse) {
  for (const auto* line : {"", " NOOP", "QUITTER", "DATAX", "HELOfoo", "MAILFROM:<a@b>", "MAIL  FROM:<a@b>", "MAIL",
                           "RCPT FROM:<a@b>", "MAIL FROMAGE:<a@b>", "FOO", "HELP", "EXPN x", "NOOP;"})
    EXPECT_EQ(verb(line), Verb::Unknown) << line;
}

TEST(Command, ControlCharactersAreSeen) {
  EXPECT_TRUE(has_control_character(std::string_view("NO\0OP", 5)));
  EXPECT_TRUE(has_control_character("NOOP\r"));
  EXPECT_FALSE(has_control_character("NOOP\tü"));
}

std::string address(std::string_view argument) {
  const auto path = parse_path(argument);
  return path ? path->address : "-";
}

TEST(Path, TakesPostalsForms) {
  EXPECT_EQ(address(":<a@b.test>"), "a@b.test");
  EXPECT_EQ(address(" : <a@b.test> "), "a@b.test");
  EXPECT_EQ(address(":a@b.test"), "a@b.test");
  EXPECT_EQ(address(": a@b.test SIZE=10"), "a@b.test");
  EXPECT_EQ(address(":Some One <a@b.test>"), "a@b.test");
  EXPECT_EQ(address(":<@one.test,@two.test:a@b.test>"), "a@b.test");
  EXPECT_EQ(address(":<\"a>b\"@c.test> SIZE=1"), "\"a>b\"@c.test");
  EXPECT_EQ(address(":a@b.test AUTH=<x@y.test>"), "a@b.test");
  EXPECT_EQ(address(":<root>"), "root");
  EXPECT_EQ(address(":<>"), "");
  EXPECT_EQ(address(":"), "");
}

TEST(Path, NeedsColonAndClosedBracket) {
  EXPECT_FALSE(parse_path("")->colon);
  EXPECT_FALSE(parse_path(" <a@b>")->colon);
  EXPECT_FALSE(parse_path(":<a@b"));
  EXPECT_FALSE(parse_path(":<\"a@b>"));
}

TEST(Path, KeepsParameters) {
  const auto path = parse_path(":<a@b.test> SIZE=10  BODY=8BITMIME SMTPUTF8 AUTH=<x=y>");
  ASSERT_EQ(path->parameters.size(), 4u);
  EXPECT_EQ(path->parameters[0].keyword, "SIZE");
  EXPECT_EQ(path->parameters[0].value, "10");
  EXPECT_EQ(path->parameters[2].keyword, "SMTPUTF8");
  EXPECT_EQ(path->parameters[2].value, "");
  EXPECT_EQ(path->parameters[3].value, "<x=y>");
}

TEST(Path, HasLimits) {
  EXPECT_TRUE(within_path_limits(std::string(64, 'x') + "@b.test"));
  EXPECT_FALSE(within_path_limits(std::string(65, 'x') + "@b.test"));
  EXPECT_FALSE(within_path_limits("a@" + std::string(256, 'x')));
  EXPECT_FALSE(within_path_limits(std::string(65, 'x')));
  EXPECT_TRUE(within_path_limits("root"));
}

TEST(Bdat, IsSizeAndLast) {
  EXPECT_EQ(parse_bdat("5")->size, 5u);
  EXPECT_FALSE(parse_bdat("5")->last);
  EXPECT_TRUE(parse_bdat("0 last")->last);
  EXPECT_EQ(parse_bdat("99999999999999999999")->size, std::numeric_limits<std::uint64_t>::max());
  for (const auto* text : {"", "x", "-1", "5 FIRST", "5 LAST x", "123456789012345678901", "LAST"})
    EXPECT_FALSE(parse_bdat(text)) << text;
}

}  // namespace
}  // namespace posthaste::smtp::proto
