// The inspector against scanners that are scripts on loopback.
#include "inspection/inspector.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/random.h"
#include "inspection/clients.h"
#include "inspection/talk.h"
#include "io/testing.h"

namespace posthaste::inspection {
namespace {

using io::Loop;
using io::Stream;
using io::Task;

constexpr std::string_view kTable = "---- \r\n 6.5 RULE_A Six and a half\r\n";

// Takes what comes until `ends` says that it is all, and answers.
struct Script {
  std::string answer, heard;
  std::function<bool(const std::string&)> ends = [](const std::string&) { return false; };
  bool hangs = false;
  int connections = 0;

  io::Listener::Serve serve() {
    return [this](Stream stream) { return run(this, std::move(stream)); };
  }
  static Task<> run(Script* self, Stream stream) {
    ++self->connections;
    std::array<char, 4096> block;
    while (!self->ends(self->heard)) {
      const auto read = co_await stream.read_some(block, 5s);
      if (!read) break;
      self->heard.append(block.data(), *read);
    }
    if (self->hangs) co_await Loop::current()->sleep(10s);
    (void)co_await stream.write(self->answer, 5s);
    co_await stream.finish(1s);
  }
};

bool stream_complete(const std::string& heard) { return heard.ends_with(std::string(4, '\0')); }

store::RawMessage message(std::size_t size = 100) {
  return store::RawMessage("Subject: x\r\n\r\n" + std::string(size, 'x') + "\r\n");
}

class InspectorTest : public ::testing::Test {
 protected:
  // `spamd` and `clamd` serve on free ports for as long as the test asks.
  void inspect(std::function<void(const store::Inspection&)> check, int times = 1) {
    io::run_task([&](Loop& loop) -> Task<> {
      auto spam = io::Listener::open(loop, "127.0.0.1", 0, false, spamd.serve());
      auto virus = io::Listener::open(loop, "127.0.0.1", 0, false, clamd.serve());
      config.spamd.port = spamd_down ? 1 : (*spam)->port();
      config.clamav.port = (*virus)->port();
      Inspector inspector(config, *resolver);
      for (int i = 0; i < times; ++i) {
        Subject subject;
        store::RawMessage copy = raw;
        auto found = co_await inspector.inspect(std::move(copy), std::move(subject));
        check(found);
      }
      (*spam)->close();
      (*virus)->close();
    });
  }

  Script spamd, clamd;
  bool spamd_down = false;
  config::Config config;
  std::unique_ptr<io::Resolver> resolver = std::move(*io::make_resolver({.servers = {"127.0.0.1@1"}}));
  store::RawMessage raw = message();
};

TEST_F(InspectorTest, FindsNothingWithoutScanners) {
  inspect([](const store::Inspection& found) {
    EXPECT_EQ(found.score, 0);
    EXPECT_TRUE(found.checks.empty());
    EXPECT_EQ(found.threat_details, "");
  });
}

TEST_F(InspectorTest, AsksForSpamAndVirusesAtTheSameTime) {
  config.spamd.enabled = config.clamav.enabled = true;
  raw = message(3'000'000);
  spamd.answer = kTable;
  clamd.answer = std::string("stream: Eicar FOUND\0", 20);
  clamd.ends = stream_complete;
  inspect([](const store::Inspection& found) {
    EXPECT_EQ(found.score, 6.5);
    EXPECT_EQ(found.checks.at(0).code, "RULE_A");
    EXPECT_TRUE(found.threat);
    EXPECT_EQ(found.threat_details, "Eicar");
  });
  EXPECT_EQ(spamd.heard, "REPORT SPAMC/1.2\r\nContent-length: " + std::to_string(raw.size()) + "\r\n\r\n" +
                             std::string(raw.bytes()));
  EXPECT_TRUE(clamd.heard.starts_with(std::string("zINSTREAM\0\0\x10\0\0Subject", 21)));
  EXPECT_EQ(clamd.heard.size(), std::string_view("zINSTREAM_").size() + raw.size() + 4 * 4);
}

TEST_F(InspectorTest, SaysWhatFailedAndGoesOn) {
  config.spamd.enabled = config.clamav.enabled = true;
  spamd.answer = "";
  clamd.ends = stream_complete;
  inspect([](const store::Inspection& found) {
    EXPECT_EQ(found.score, 0);
    ASSERT_EQ(found.checks.size(), 1U);
    EXPECT_EQ(found.checks[0].code, "ERROR");
    EXPECT_EQ(found.checks[0].description, "Error when scanning for spam");
    EXPECT_FALSE(found.threat);
    EXPECT_EQ(found.threat_details, "Error when scanning for threats");
  });
}

TEST_F(InspectorTest, LeavesAScannerAloneThatIsDown) {
  config.spamd.enabled = true;
  spamd_down = true;
  std::vector<std::string> codes;
  inspect([&](const store::Inspection& found) { codes.push_back(found.checks.at(0).code); }, 7);
  EXPECT_EQ(codes, (std::vector<std::string>{"ERROR", "ERROR", "ERROR", "ERROR", "ERROR", "SKIPPED", "SKIPPED"}));
}

TEST_F(InspectorTest, GivesNoScannerMoreThanItTakes) {
  config.spamd.enabled = config.clamav.enabled = true;
  config.spamd.max_message_size = config.clamav.max_message_size = 50;
  inspect([](const store::Inspection& found) {
    ASSERT_EQ(found.checks.size(), 2U);
    for (const auto& check : found.checks) EXPECT_EQ(check.code, "SKIPPED");
    EXPECT_EQ(found.threat_details, "Not scanned for threats: the message is larger than 50 bytes");
  });
  EXPECT_EQ(spamd.connections + clamd.connections, 0);
}

TEST_F(InspectorTest, TakesARefusalInTheMiddleOfTheStreamAsTooLarge) {
  config.clamav.enabled = true;
  raw = message(5'000'000);
  clamd.ends = [](const std::string& heard) { return heard.size() > 100'000; };
  clamd.answer = std::string("INSTREAM size limit exceeded. ERROR\0", 36);
  inspect([](const store::Inspection& found) {
    EXPECT_EQ(found.checks.at(0).code, "SKIPPED");
    EXPECT_EQ(found.threat_details, "Not scanned for threats: the message is larger than the scanner takes");
  });
}

TEST(Clients, EndAtTheirDeadline) {
  Script script;
  script.hangs = true;
  io::Pool pool(1);
  io::run_task([&](Loop& loop) -> Task<> {
    auto listener = io::Listener::open(loop, "127.0.0.1", 0, false, script.serve());
    Dialer dialer(place_of("127.0.0.1", (*listener)->port()), pool);
    const auto began = Steady::now();
    const auto spam = co_await ask_spamd(dialer, message(), true, 200ms);
    EXPECT_EQ(spam.outcome, Outcome::TimedOut);
    EXPECT_EQ(spam.checks.at(0).code, "TIMEOUT");
    EXPECT_EQ(spam.checks.at(0).description, "Timed out when scanning for spam");
    const auto virus = co_await ask_clamd(dialer, message(), 200ms);
    EXPECT_EQ(virus.details, "Timed out scanning for threats");
    EXPECT_LT(Steady::now() - began, 2s);
  });
}

TEST(Clients, TalkOverUnixSocketsAndToNames) {
  Script script;
  script.answer = kTable;
  io::Pool pool(1);
  const auto path = (std::filesystem::temp_directory_path() / ("spamd-" + random_hex(8))).string();
  io::run_task([&](Loop& loop) -> Task<> {
    auto local = io::Listener::open_unix(loop, path, 0600, script.serve());
    auto tcp = io::Listener::open(loop, "127.0.0.1", 0, false, script.serve());
    Dialer by_path(place_of("unix:" + path, 0), pool), by_name(place_of("localhost", (*tcp)->port()), pool);
    EXPECT_EQ((co_await ask_spamd(by_path, message(), true, 2s)).score, 6.5);
    EXPECT_EQ((co_await ask_spamd(by_name, message(), true, 2s)).score, 6.5);
    Dialer nowhere(place_of("no-such-host.invalid", 1), pool);
    EXPECT_EQ((co_await ask_spamd(nowhere, message(), true, 2s)).outcome, Outcome::Failed);
  });
  std::filesystem::remove(path);
}

std::string value_of(const io::HttpFields& fields, std::string_view name) {
  for (const auto& [field, value] : fields)
    if (field == name) return "=" + value;
  return "none";
}

TEST(RspamdFields, SayWhatPostalSays) {
  const Rspamd rspamd{.password = "sesame", .flags = "milter", .user_agent = "Postal", .mta_name = "mx.test"};
  Subject subject{.rcpt_to = "in@x.test", .mail_from = "a@y.test\r\nX: 1", .token = "abc", .ip = "192.0.2.1"};
  auto fields = rspamd_fields(rspamd, subject);
  EXPECT_EQ(value_of(fields, "Rcpt"), "=in@x.test");
  EXPECT_EQ(value_of(fields, "Deliver-To"), "=in@x.test");
  EXPECT_EQ(value_of(fields, "From"), "=a@y.testX: 1") << "in one line, whatever it holds";
  EXPECT_EQ(value_of(fields, "Queue-Id"), "=abc");
  EXPECT_EQ(value_of(fields, "Password"), "=sesame");
  EXPECT_EQ(value_of(fields, "User-Agent"), "=Postal");
  EXPECT_EQ(value_of(fields, "Ip"), "none");
  EXPECT_EQ(value_of(fields, "User"), "none");

  subject.mail_from.clear();
  subject.incoming = false;
  fields = rspamd_fields(rspamd, subject);
  EXPECT_EQ(value_of(fields, "From"), "none");
  EXPECT_EQ(value_of(fields, "Ip"), "=");
  EXPECT_EQ(value_of(fields, "User"), "=");
}

TEST(RspamdFields, NameTheClientWhereRspamdMakesTheScore) {
  const Rspamd rspamd{.score = RspamdScore::Total, .mta_name = "mx.test"};
  const Subject subject{.rcpt_to = "in@x.test", .ip = "192.0.2.1", .helo = "c.test", .hostname = "ptr.test"};
  const auto fields = rspamd_fields(rspamd, subject);
  EXPECT_EQ(value_of(fields, "From"), "=");
  EXPECT_EQ(value_of(fields, "Ip"), "=192.0.2.1");
  EXPECT_EQ(value_of(fields, "Helo"), "=c.test");
  EXPECT_EQ(value_of(fields, "Hostname"), "=ptr.test");
  EXPECT_EQ(value_of(fields, "MTA-Name"), "=mx.test");
}

}  // namespace
}  // namespace posthaste::inspection
