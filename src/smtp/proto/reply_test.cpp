#include "smtp/proto/reply.h"

#include <gtest/gtest.h>

namespace posthaste::smtp::proto {
namespace {

using State = ReplyParser::State;

TEST(ReplyParser, TakesOneReplyAndLeavesTheNext) {
  ReplyParser parser;
  const auto fed = parser.feed("250 OK\r\n354 go\r\n");
  EXPECT_EQ(fed.state, State::Done);
  EXPECT_EQ(fed.used, 8u);
  EXPECT_EQ(parser.reply().code, 250);
  EXPECT_EQ(parser.reply().lines, std::vector<std::string>{"OK"});
  EXPECT_EQ(parser.reply().text, "250 OK");
}

TEST(ReplyParser, JoinsTheLinesOfAReplyThatArrivesByteByByte) {
  ReplyParser parser;
  const std::string_view bytes = "250-mx.test hello\r\n250-SIZE 100\n250\r\n";
  for (std::size_t i = 0; i < bytes.size(); ++i)
    EXPECT_EQ(parser.feed(bytes.substr(i, 1)).state, i + 1 < bytes.size() ? State::More : State::Done);
  EXPECT_EQ(parser.reply().lines, (std::vector<std::string>{"mx.test hello", "SIZE 100", ""}));
  EXPECT_EQ(parser.reply().text, "250-mx.test hello\n250-SIZE 100\n250");
}

TEST(ReplyParser, TakesTheLastCodeWhenTheyDiffer) {
  ReplyParser parser;
  EXPECT_EQ(parser.feed("250-a\r\n550 b\r\n").state, State::Done);
  EXPECT_TRUE(parser.reply().permanent());
}

TEST(ReplyParser, RefusesWhatIsNoReply) {
  for (const auto* text : {"HTTP/1.1 400 Bad Request\r\n", "25\r\n", "\r\n", "999 x\r\n", "250x\r\n", "1a0 x\r\n"}) {
    ReplyParser parser;
    EXPECT_EQ(parser.feed(text).state, State::Broken) << text;
    EXPECT_FALSE(parser.error().empty());
  }
}

TEST(ReplyParser, HasBounds) {
  ReplyParser line;
  EXPECT_EQ(line.feed("250 " + std::string(2000, 'x')).state, State::Broken);

  ReplyParser lines;
  std::string many;
  for (int i = 0; i < 101; ++i) many += "250-x\r\n";
  EXPECT_EQ(lines.feed(many).state, State::Broken);

  ReplyParser bytes;
  many.clear();
  for (int i = 0; i < 50; ++i) many += "250-" + std::string(1900, 'x') + "\r\n";
  EXPECT_EQ(bytes.feed(many).state, State::Broken);
}

TEST(ReplyParser, IsReadyAgainAfterReset) {
  ReplyParser parser;
  parser.feed("250-half\r\n25");
  parser.reset();
  EXPECT_FALSE(parser.started());
  EXPECT_EQ(parser.feed("220 hi\r\n").state, State::Done);
  EXPECT_EQ(parser.reply().text, "220 hi");
}

TEST(AppendReply, WritesCodesAndLines) {
  std::string out;
  append_reply(out, 250, "", "OK");
  append_reply(out, 250, "2.1.5", "OK");
  append_reply(out, 334, "", "");
  append_reply(out, 250, "", "one\ntwo");
  append_reply(out, 530, "5.7.0", "one\ntwo");
  EXPECT_EQ(out,
            "250 OK\r\n250 2.1.5 OK\r\n334 \r\n250-one\r\n250 two\r\n"
            "530-5.7.0 one\r\n530 5.7.0 two\r\n");
}

}  // namespace
}  // namespace posthaste::smtp::proto
