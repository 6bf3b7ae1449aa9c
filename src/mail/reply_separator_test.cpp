#include "mail/reply_separator.h"

#include <gtest/gtest.h>

#include <chrono>
#include <map>

namespace posthaste::mail {
namespace {

using Maybe = std::optional<std::string>;

std::string quoted_lines(std::string_view mark, int count) {
  std::string lines;
  for (int i = 0; i < count; ++i) lines += "> " + std::string(mark) + std::to_string(i) + "\n";
  return lines;
}

struct Case {
  std::string plain, text;
  Maybe separated = std::nullopt;
};

void check(const Case& it) {
  const SeparatedReply reply = separate_reply(it.plain);
  EXPECT_EQ(reply.text, it.text) << it.plain;
  EXPECT_EQ(reply.separated, it.separated) << it.plain;
}

TEST(SeparateReply, LeavesTextWithoutQuotes) {
  check({"Hello\r\n\r\nBob\r\n", "Hello\n\nBob"});
  check({"\n\n  Hello  \n\n\n", "Hello"});
  check({"", ""});
  check({"Hello\n\nsent from my phone\n-----original message-----\n",
         "Hello\n\nsent from my phone\n-----original message-----"});
}

TEST(SeparateReply, CutsAtIntroductions) {
  const std::string gmail = "On Mon, Jan 1, 2024 at 10:00 AM John <j@x.com> wrote:\n\n> quoted";
  check({"Hello\r\n\r\n" + gmail + "\r\n", "Hello", gmail});
  check({gmail, "", gmail});
  check({"Hello\n\n> On 1 Jan 2024, at 10:00, John <j@x.com> wrote:\n> \n> q\n", "Hello",
         "> On 1 Jan 2024, at 10:00, John <j@x.com> wrote:\n> \n> q"});
  check(
      {"Hello\nOn the first\nof January John\nwrote:  \n> q", "Hello", "On the first\nof January John\nwrote:  \n> q"});
  check({"I see. On the first of January 2024 he wrote: go\n", "I see. On the first of January 2024 he wrote: go"});
  check({"On Monday he wrote: go\n", "On Monday he wrote: go"});
  check({"On 3 wrote:\n", "On 3 wrote:"});
}

TEST(SeparateReply, CountsTheCharactersOfAnIntroduction) {
  const auto introduction = [](int length) {
    std::string text = "On";
    for (int i = 0; i < length; ++i) text += "\xC3\xA9";
    return text + "wrote:";
  };
  EXPECT_EQ(separate_reply(introduction(9)).separated, std::nullopt);
  EXPECT_EQ(separate_reply(introduction(10)).text, "");
  EXPECT_EQ(separate_reply(introduction(200)).text, "");
  EXPECT_EQ(separate_reply(introduction(201)).separated, std::nullopt);
}

TEST(SeparateReply, CutsWhatMailersPutIn) {
  check({"Hello\n\nFrom: John\nSent: Monday\n\nq\n", "Hello", "From: John\nSent: Monday\n\nq"});
  check({"Hello\n\nFrom: John\n\nDate: Monday\n\nq\n", "Hello", "From: John\n\nDate: Monday\n\nq"});
  check({"Hello\n\n________________________________\nFrom: John\nSent: Monday\n\nq\n", "Hello",
         "________________________________\n\nFrom: John\nSent: Monday\n\nq"});
  check({"Hello\n\n-----Original Message-----\nq\n", "Hello", "-----Original Message-----\nq"});
  check({"Hello\n>----- Original Message -----\nq\n", "Hello", ">----- Original Message -----\nq"});
  check({"Hallo\n\n-----Urspr\xC3\xBCngliche Nachricht----- \nVon: Jan\n", "Hallo",
         "-----Urspr\xC3\xBCngliche Nachricht----- \nVon: Jan"});
  check({"Hello\n\n>> Sent from my iPad\nmore\n", "Hello", ">> Sent from my iPad\nmore"});
  check({"Hello\n\n> > Sent from my iPad\n", "Hello\n\n> > Sent from my iPad"});
  check({"Hello\n\n=== Please reply above this line ===\n\nT\n", "Hello", "=== Please reply above this line ===\n\nT"});
}

TEST(SeparateReply, TakesOnlyTheLineOfAFrenchIntroduction) {
  const std::string line =
      "Le lun. 1 janv. 2024 \xC3\xA0 10:00, Jean <j@x.com> a \xC3\xA9"
      "crit :";
  check({"Bonjour\n\n" + line + "\n\n> q\n", "Bonjour\n\n> q", line});
  check({"Bonjour\n" + line + " et\n", "Bonjour\n" + line + " et"});
  check({"Bonjour\nLe x a ecrit:\n", "Bonjour\nLe x a ecrit:"});
}

TEST(SeparateReply, KnowsASignature) {
  check({"Hello\n\n-- \nJohn\nPhone 123\n", "Hello", "-- \nJohn\nPhone 123"});
  check({"Hello\n--\nJohn\n", "Hello\n--\nJohn"});
  check({"Hello\n----------- \nJohn\n", "Hello\n----------- \nJohn"});
  check({"Hello\n-- \nJohn\n\nOn Mon, Jan 1, 2024 John wrote:\n> q\n", "Hello",
         "-- \nJohn\n\nOn Mon, Jan 1, 2024 John wrote:\n> q"});
}

TEST(SeparateReply, CutsTenQuotedLinesAndKeepsNine) {
  check({"Hello\n" + quoted_lines("", 9) + "end\n", "Hello\n" + quoted_lines("", 9) + "end"});
  const std::string a = quoted_lines("a", 10), b = quoted_lines("b", 11);
  check({"A\n" + a + "B\n" + b + "C\n", "A\nB\nC", b + "\n" + a.substr(0, a.size() - 1)});
}

TEST(SeparateReply, TakesTimeThatGrowsWithTheLengthOnly) {
  const auto began = std::chrono::steady_clock::now();
  const auto repeated = [](std::string_view piece) {
    std::string text;
    while (text.size() < 400'000) text += piece;
    return text + "x";
  };
  for (const auto* piece : {"\n", ">\n", "> \n", "On\n", "On wrote:", "Onwrote:\n", "On ", "From:\n",
                            "Le a ecrit :", "Le\n", "-- \nx", " ", "On wrote: \t", "-----\n"})
    separate_reply(repeated(piece));
  separate_reply("On\nOn\nOn\nOn wrote: wrote: wrote:" + std::string(400'000, ' ') + "x");
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10));
}

}  // namespace
}  // namespace posthaste::mail
