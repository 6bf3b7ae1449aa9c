#include "smtp/client/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/testing.h"
#include "smtp/client/testing.h"

namespace posthaste::smtp::client {
namespace {

using io::Loop;
using io::run_task;
using io::Task;
using testing::ElementsAre;
using Kind = Outcome::Kind;
using ConnectionPtr = std::unique_ptr<Connection>;

constexpr std::string_view kMessage = "From: a@b.test\r\n\r\nHi\r\n";

Task<ConnectionPtr> open(const Sink& sink, Timeouts timeouts = {}) {
  Target target = sink.target();
  auto opened = co_await Connection::open(std::move(target), timeouts);
  if (!opened) throw std::runtime_error(opened.error().text);
  co_return std::move(*opened);
}

Task<std::string> error_of(Target target, Timeouts timeouts = {}) {
  auto opened = co_await Connection::open(std::move(target), timeouts);
  co_return opened ? std::string("opened") : opened.error().text;
}

Task<Outcome> send(Connection& connection, std::string_view message = kMessage, std::string_view to = "john@x.test",
                   bool* before_dot = nullptr) {
  Envelope envelope{"abc@rp.test", std::string(to)};
  std::vector<std::string_view> pieces{message};
  std::function<void()> note = [before_dot] {
    if (before_dot) *before_dot = true;
  };
  auto outcome = co_await connection.send(std::move(envelope), std::move(pieces), std::move(note));
  co_return outcome;
}

TEST(Connection, SaysWhatPostalSaysAndStaysOpen) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    auto connection = co_await open(sink);
    bool dot = false;
    auto first = co_await send(*connection, kMessage, "john@x.test", &dot);
    auto second = co_await send(*connection, kMessage, "eve@x.test");
    co_await connection->quit();
    EXPECT_EQ(first.kind, Kind::Accepted);
    EXPECT_EQ(first.reply.text, "250 2.0.0 ok queued");
    EXPECT_TRUE(dot);
    EXPECT_EQ(second.kind, Kind::Accepted);
    EXPECT_EQ(connection->transactions(), 2);
    EXPECT_FALSE(connection->usable());
    EXPECT_EQ(sink.connections, 1);
    EXPECT_THAT(sink.commands, ElementsAre("EHLO out.test", "MAIL FROM:<abc@rp.test>", "RCPT TO:<john@x.test>", "DATA",
                                           "MAIL FROM:<abc@rp.test>", "RCPT TO:<eve@x.test>", "DATA", "QUIT"));
    EXPECT_EQ(sink.contents[0], kMessage);
  });
}

TEST(Connection, ContentIsEncodedForTheWire) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    auto connection = co_await open(sink);
    const std::string message = ".\n..two\r\nbare\rcr\n\xe9 8-bit\n" + std::string(5000, 'x');
    co_await send(*connection, message);
    EXPECT_EQ(sink.contents[0], "..\r\n...two\r\nbare\r\ncr\r\n\xe9 8-bit\r\n" + std::string(5000, 'x') + "\r\n");
  });
}

TEST(Connection, PiecesAreOneMessageHoweverLarge) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    auto connection = co_await open(sink);
    std::string body, wanted, tiny(200000, '\n'), tiny_wanted;
    for (int i = 0; i < 30000; ++i) body += "0123456789abcdef\r\n.\r\n", wanted += "0123456789abcdef\r\n..\r\n";
    for (int i = 0; i < 200000; ++i) tiny_wanted += "\r\n";
    std::vector<std::string_view> pieces{"A: 1\r", "\nB: 2", "\r\n\r\n", body, tiny, "", "end"};
    Envelope envelope{"", "john@x.test"};
    std::function<void()> none;
    auto outcome = co_await connection->send(std::move(envelope), std::move(pieces), std::move(none));
    EXPECT_EQ(outcome.kind, Kind::Accepted);
    EXPECT_EQ(sink.contents[0], "A: 1\r\nB: 2\r\n\r\n" + wanted + tiny_wanted + "end\r\n");
  });
}

struct Row {
  std::string to, reply;
  Kind kind;
  Stage stage;
  bool usable;
};

// What every kind of reply makes of a transaction, one connection for each.
Task<> check(Loop& loop, std::vector<std::string> extensions, std::vector<Row> rows) {
  for (const auto& row : rows) {
    Sink sink(loop);
    sink.extensions = extensions;
    sink.answer(row.to, row.reply);
    auto connection = co_await open(sink);
    auto outcome = co_await send(*connection);
    const std::string shown = row.to + " " + row.reply;
    EXPECT_EQ(int(outcome.kind), int(row.kind)) << shown;
    EXPECT_EQ(int(outcome.stage), int(row.stage)) << shown;
    EXPECT_EQ(connection->usable(), row.usable) << shown;
    if (outcome.kind == Kind::Refused) {
      EXPECT_EQ(outcome.reply.text, replace_all(row.reply, "\r\n", "\n"));
    }
    if (row.reply.empty()) {
      EXPECT_EQ(outcome.error, "end of file reached") << shown;
    }
    if (!connection->usable()) continue;
    auto next = co_await send(*connection);
    EXPECT_EQ(next.kind, Kind::Accepted) << shown;
    EXPECT_THAT(sink.commands, testing::Contains("RSET")) << shown;
    EXPECT_EQ(sink.connections, 1);
    co_await connection->quit();
  }
}

std::vector<Row> reply_table() {
  return {
      {"MAIL", "451 4.3.0 later", Kind::Refused, Stage::Mail, true},
      {"MAIL", "530 5.7.0 Must issue a STARTTLS command first", Kind::Refused, Stage::Mail, true},
      {"MAIL", "421 4.3.0 shutting down", Kind::Refused, Stage::Mail, false},
      {"MAIL", "", Kind::Broken, Stage::Mail, false},
      {"MAIL", "what?", Kind::Broken, Stage::Mail, false},
      {"RCPT", "450 4.2.1 mailbox busy", Kind::Refused, Stage::Rcpt, true},
      {"RCPT", "550-5.1.1 no\r\n550 5.1.1 such user", Kind::Refused, Stage::Rcpt, true},
      {"RCPT", "354 hm", Kind::Refused, Stage::Rcpt, true},
      {"RCPT", "", Kind::Broken, Stage::Rcpt, false},
      {"DATA", "451 4.3.0 no space", Kind::Refused, Stage::Data, true},
      {"DATA", "554 5.5.1 no valid recipients", Kind::Refused, Stage::Data, true},
      {"DATA", "250 hm", Kind::Refused, Stage::Data, true},
      {"DATA", "", Kind::Broken, Stage::Data, false},
      {"DOT", "451 4.3.0 no space", Kind::Refused, Stage::Content, true},
      {"DOT", "554 5.3.4 no thanks", Kind::Refused, Stage::Content, true},
      {"DOT", "421 4.3.2 bye", Kind::Refused, Stage::Content, false},
      {"DOT", "", Kind::Uncertain, Stage::Content, false},
      {"DOT", "what?", Kind::Uncertain, Stage::Content, false},
  };
}

TEST(Connection, RepliesDecideOneByOne) {
  run_task([](Loop& loop) -> Task<> {
    std::vector<std::string> none;
    auto rows = reply_table();
    co_await check(loop, std::move(none), std::move(rows));
  });
}

TEST(Connection, RepliesDecideInOneFlight) {
  run_task([](Loop& loop) -> Task<> {
    std::vector<std::string> extensions{"PIPELINING"};
    auto rows = reply_table();
    co_await check(loop, std::move(extensions), std::move(rows));
  });
}

TEST(Connection, PipeliningPutsAllCommandsIntoOneSegment) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    sink.extensions = {"PIPELINING"};
    auto connection = co_await open(sink);
    co_await send(*connection);
    EXPECT_THAT(sink.arrivals,
                ElementsAre("EHLO out.test\r\n", "MAIL FROM:<abc@rp.test>\r\nRCPT TO:<john@x.test>\r\nDATA\r\n",
                            std::string(kMessage) + ".\r\n"));
  });
}

TEST(Connection, RefusedRecipientInAFlightIsFollowedByALoneDotAndRset) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    sink.extensions = {"PIPELINING"};
    sink.answer("RCPT", "550 5.1.1 no");
    auto connection = co_await open(sink);
    auto refused = co_await send(*connection);
    EXPECT_EQ(refused.reply.text, "550 5.1.1 no");
    EXPECT_THAT(sink.contents, ElementsAre(""));
    auto next = co_await send(*connection);
    EXPECT_EQ(next.kind, Kind::Accepted);
    EXPECT_EQ(sink.arrivals[3], "RSET\r\nMAIL FROM:<abc@rp.test>\r\nRCPT TO:<john@x.test>\r\nDATA\r\n");
  });
}

TEST(Connection, DotIsAnnouncedOnlyWhenItComesToThat) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    sink.answer("DATA", "");
    auto connection = co_await open(sink);
    bool dot = false;
    co_await send(*connection, kMessage, "john@x.test", &dot);
    EXPECT_FALSE(dot);
  });
}

TEST(Connection, LateReplyToTheFinalDotLeavesDoubt) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    sink.delay_dot = 500ms;
    Timeouts timeouts;
    timeouts.final_dot = 100ms;
    auto connection = co_await open(sink, timeouts);
    auto outcome = co_await send(*connection);
    EXPECT_EQ(outcome.kind, Kind::Uncertain);
    EXPECT_EQ(outcome.error, "Net::ReadTimeout");
    EXPECT_FALSE(connection->usable());
  });
}

TEST(Connection, SlowReplyToTheFinalDotIsWaitedFor) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    sink.delay_dot = 300ms;
    auto connection = co_await open(sink);
    auto outcome = co_await send(*connection);
    EXPECT_EQ(outcome.kind, Kind::Accepted);
  });
}

TEST(Connection, ServerThatHungUpMeanwhileBreaksTheTransactionOnly) {
  run_task([](Loop& loop) -> Task<> {
    for (std::string last : {"", "421 4.4.2 idle for too long"}) {
      Sink sink(loop);
      auto connection = co_await open(sink);
      co_await send(*connection);
      sink.answer("MAIL", last);
      auto outcome = co_await send(*connection);
      EXPECT_EQ(outcome.kind, Kind::Broken) << last;
      EXPECT_EQ(outcome.error, last.empty() ? "end of file reached" : last);
      EXPECT_FALSE(connection->usable());
    }
  });
}

TEST(Connection, ServerThatIsOutOfStepIsLeft) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    sink.answer("DOT", "250 ok\r\n250 ok again");
    auto connection = co_await open(sink);
    auto first = co_await send(*connection);
    EXPECT_EQ(first.kind, Kind::Accepted);
    auto second = co_await send(*connection);
    EXPECT_EQ(second.kind, Kind::Broken);
    EXPECT_EQ(sink.contents.size(), 1u);
    EXPECT_FALSE(connection->usable());
  });
}

TEST(Connection, HostThatCannotTakeItIsNotAsked) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    sink.extensions = {"SIZE 10"};
    auto connection = co_await open(sink);
    auto outcome = co_await send(*connection);
    EXPECT_EQ(outcome.kind, Kind::Unfit);
    EXPECT_TRUE(connection->usable());
    EXPECT_THAT(sink.commands, ElementsAre("EHLO out.test"));
  });
}

TEST(Connection, MailMaxIsHonoured) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    sink.extensions = {"LIMITS MAILMAX=1"};
    auto connection = co_await open(sink);
    EXPECT_TRUE(connection->usable());
    co_await send(*connection);
    EXPECT_FALSE(connection->usable());
  });
}

TEST(Open, FallsBackToHelo) {
  run_task([](Loop& loop) -> Task<> {
    for (std::string reply : {"500 what?", "451 not now"}) {
      Sink sink(loop);
      sink.answer("EHLO", reply);
      auto connection = co_await open(sink);
      auto outcome = co_await send(*connection);
      EXPECT_EQ(outcome.kind, Kind::Accepted);
      EXPECT_EQ(sink.commands[1], "HELO out.test");
      EXPECT_EQ(sink.connections, 1);
    }
  });
}

TEST(Open, HeloOnlyAsksForNothing) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    Target target = sink.target();
    target.helo_only = true;
    Timeouts timeouts;
    auto connection = co_await Connection::open(std::move(target), timeouts);
    EXPECT_TRUE(connection.has_value());
    EXPECT_THAT(sink.commands, ElementsAre("HELO out.test"));
  });
}

TEST(Open, FailuresHaveTheServersOrTheSystemsWords) {
  run_task([](Loop& loop) -> Task<> {
    const std::vector<std::array<std::string, 3>> rows{
        {"CONNECT", "554 go away", "554 go away"},
        {"CONNECT", "421-4.3.2 too\r\n421 4.3.2 busy", "421-4.3.2 too\n421 4.3.2 busy"},
        {"CONNECT", "", "end of file reached"},
        {"CONNECT", "SSH-2.0-OpenSSH", "protocol error: not an SMTP reply: SSH-2.0-OpenSSH"},
        {"EHLO", "", "end of file reached"},
        {"EHLO", "421 4.3.2 bye", "421 4.3.2 bye"},
    };
    for (const auto& [to, reply, wanted] : rows) {
      Sink sink(loop);
      sink.answer(to, reply);
      auto error = co_await error_of(sink.target());
      EXPECT_EQ(error, wanted);
    }
    Sink sink(loop);
    auto target = sink.target();
    sink.stop_listening();
    co_await loop.sleep(50ms);
    auto refused = co_await error_of(target);
    EXPECT_EQ(refused, "Connection refused");
  });
}

TEST(Open, BothHellosRefusedGivesTheSecondReply) {
  run_task([](Loop& loop) -> Task<> {
    Sink sink(loop);
    sink.answer("EHLO", "500 what?");
    sink.answer("HELO", "550 no");
    auto error = co_await error_of(sink.target());
    EXPECT_EQ(error, "550 no");
  });
}

TEST(Open, SilentServerRunsIntoTheTimeout) {
  run_task([](Loop& loop) -> Task<> {
    auto silent = io::Listener::open(loop, "127.0.0.1", 0, false, [](io::Stream stream) -> Task<> {
      co_await Loop::current()->sleep(2s);
      stream.close();
    });
    Target target{
        .host = "mx.test", .endpoint = {*IpAddress::parse("127.0.0.1"), (*silent)->port()}, .helo = "out.test"};
    Timeouts timeouts;
    timeouts.command = 100ms;
    auto error = co_await error_of(target, timeouts);
    EXPECT_EQ(error, "Net::ReadTimeout");
  });
}

TEST(TlsModes, AreReadFromTheirNames) {
  EXPECT_EQ(tls_mode("auto"), TlsMode::Auto);
  EXPECT_EQ(tls_mode("STARTLS"), TlsMode::StartTls);
  EXPECT_EQ(tls_mode("starttls"), TlsMode::StartTls);
  EXPECT_EQ(tls_mode("TLS"), TlsMode::Tls);
  EXPECT_EQ(tls_mode("none"), TlsMode::None);
  EXPECT_EQ(tls_mode("ssl"), std::nullopt);
}

TEST(Target, IsShownAsPostalDoes) {
  Target target{.host = "mx1.test", .endpoint = {*IpAddress::parse("127.0.0.1"), 25}};
  EXPECT_EQ(target.text(), "127.0.0.1:25 (mx1.test)");
}

}  // namespace
}  // namespace posthaste::smtp::client
