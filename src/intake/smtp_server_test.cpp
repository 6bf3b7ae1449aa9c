// Mail over a socket into a real store.
#include "intake/smtp_server.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/strings.h"
#include "io/testing.h"
#include "store/testing_store.h"

namespace posthaste::intake {
namespace {

using io::Task;
using store::testing::Installation;

class NoNames : public io::Resolver {
 public:
  Task<io::DnsAnswer<io::MxRecord>> mx(std::string, bool) override { co_return io::DnsAnswer<io::MxRecord>{}; }
  Task<io::DnsAnswer<IpAddress>> a(std::string) override { co_return io::DnsAnswer<IpAddress>{}; }
  Task<io::DnsAnswer<IpAddress>> aaaa(std::string) override { co_return io::DnsAnswer<IpAddress>{}; }
  Task<io::DnsAnswer<std::string>> txt(std::string, bool) override { co_return io::DnsAnswer<std::string>{}; }
  Task<io::DnsAnswer<std::string>> cname(std::string, bool) override { co_return io::DnsAnswer<std::string>{}; }
  Task<io::DnsAnswer<std::string>> ns(std::string) override { co_return io::DnsAnswer<std::string>{}; }
  Task<io::DnsAnswer<std::string>> ptr(IpAddress) override {
    io::DnsAnswer<std::string> answer;
    answer.status = io::DnsStatus::Ok;
    answer.records = {"client.test"};
    co_return answer;
  }
};

// Takes what is handed over in memory.
class FakeWorker : public store::LocalWorker {
 public:
  bool wants(const std::vector<store::QueuedMessage>&) const override { return true; }
  void hand_over(std::vector<store::QueuedMessage> messages) override {
    for (auto& m : messages) taken.push_back(std::move(m));
  }
  std::vector<store::QueuedMessage> taken;
};

// Everything on one loop in a thread, as in one process.
class World {
 public:
  World() : runtime_(1) {
    installation.config.smtp_server.default_port = 0;
    installation.config.smtp_server.default_bind_address = "127.0.0.1";
    installation.config.smtp_server.limits_exempt_networks = {"127.0.0.0/8"};
    installation.config.postal.smtp_hostname = "mx.example.com";
    store = installation.open();
    intake_ = std::make_unique<Intake>(*store, installation.config, &worker);
    runtime_.start();
    auto opened = SmtpServer::open(*intake_, installation.config, resolver_, runtime_);
    if (!opened) throw std::runtime_error(opened.error().text + opened.error().cause);
    server_ = std::move(*opened);
  }
  ~World() {
    std::atomic<bool> done = false;
    runtime_.at(0).spawn(stop(server_.get(), &done), "stop");
    for (int i = 0; i < 500 && !done; ++i) std::this_thread::sleep_for(10ms);
    runtime_.stop();
    store->close();
  }

  // The replies to these bytes, all sent at once; ends with the connection.
  std::string talk(std::string bytes) {
    std::string got;
    io::run_task([&](io::Loop&) -> Task<> {
      const io::Endpoint to{*IpAddress::parse("127.0.0.1"), server_->port()};
      auto stream = co_await io::Stream::connect(to, std::nullopt, 5s);
      auto sent = co_await stream->write(bytes, 5s);
      EXPECT_TRUE(sent.has_value());
      std::array<char, 4096> buffer;
      for (;;) {
        auto n = co_await stream->read_some(buffer, 5s);
        if (!n) break;
        got.append(buffer.data(), *n);
      }
    });
    return got.substr(got.find('\n') + 1);
  }

  Installation installation{sql::Dialect::Sqlite};
  std::unique_ptr<store::Store> store;
  FakeWorker worker;

 private:
  static Task<> stop(SmtpServer* server, std::atomic<bool>* done) {
    co_await server->stop(1s);
    *done = true;
  }
  NoNames resolver_;
  io::Runtime runtime_;
  std::unique_ptr<Intake> intake_;
  std::unique_ptr<SmtpServer> server_;
};

const std::string kAuth = "AUTH PLAIN " + base64_encode(std::string("\0x\0smtpkey", 10)) + "\r\n";

TEST(SmtpServer, StoresAnOutgoingMessageAndHandsItOver) {
  World world;
  const auto replies =
      world.talk("HELO test.example.com\r\n" + kAuth +
                 "MAIL FROM:<x@y.test>\r\nRCPT TO:<one@Receiver.test>\r\nRCPT TO:<two@receiver.test>\r\nDATA\r\n"
                 "From: a@sender.example\r\nSubject: Test\r\n\r\nHello\r\n.\r\nQUIT\r\n");
  EXPECT_EQ(
      replies,
      "250 mx.example.com\r\n235 Granted for org/server\r\n250 OK\r\n250 OK\r\n250 OK\r\n354 Go ahead\r\n250 OK\r\n"
      "221 Closing Connection\r\n");
  ASSERT_EQ(world.worker.taken.size(), 2u);
  const auto& queued = world.worker.taken[0];
  EXPECT_EQ(queued.domain, "Receiver.test");
  EXPECT_TRUE(world.store->claim(10, {}).empty()) << "the rows are under our lease already";

  const auto message = world.store->message(Installation::kServer, queued.message_id);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->scope, "outgoing");
  EXPECT_EQ(message->rcpt_to, "one@Receiver.test");
  EXPECT_EQ(message->mail_from, "x@y.test");
  EXPECT_EQ(message->subject, "Test");
  EXPECT_EQ(message->status, "Pending");
  EXPECT_EQ(message->credential_id, 1);
  EXPECT_TRUE(message->domain_id);
  const auto raw = world.store->raw(Installation::kServer, *message);
  ASSERT_TRUE(raw);
  EXPECT_TRUE(raw->bytes().starts_with(
      "Received: from test.example.com (client.test [127.0.0.1]) by mx.example.com with SMTP; "));
  EXPECT_EQ(raw->bytes(), queued.raw->bytes());
  EXPECT_EQ(raw->body(), "Hello\r\n");
}

TEST(SmtpServer, TellsTheTokenInEhloSessions) {
  World world;
  const auto replies =
      world.talk("EHLO x\r\n" + kAuth +
                 "MAIL FROM:<>\r\nRCPT TO:<one@receiver.test>\r\nDATA\r\nFrom: a@sender.example\r\n\r\n.\r\nQUIT\r\n");
  ASSERT_EQ(world.worker.taken.size(), 1u);
  const auto message = world.store->message(Installation::kServer, world.worker.taken[0].message_id);
  EXPECT_NE(replies.find("250 2.0.0 OK id=" + message->token + "\r\n"), std::string::npos) << replies;
  EXPECT_EQ(message->mail_from, "");
}

TEST(SmtpServer, StoresNothingForAForeignSender) {
  World world;
  const auto replies =
      world.talk("EHLO x\r\n" + kAuth +
                 "MAIL FROM:<>\r\nRCPT TO:<one@receiver.test>\r\nDATA\r\nFrom: a@elsewhere.test\r\n\r\n.\r\nQUIT\r\n");
  EXPECT_NE(replies.find(
                "530 5.7.1 From/Sender name is not valid (domain elsewhere.test is not verified for this server)\r\n"),
            std::string::npos)
      << replies;
  EXPECT_TRUE(world.worker.taken.empty());
}

TEST(SmtpServer, TakesMailForRoutesAndReturnPaths) {
  World world;
  world.installation.config.dns.return_path_domain = "rp.example.com";
  const auto replies = world.talk(
      "HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<info@sender.example>\r\nRCPT TO:<abcdef@rp.example.com>\r\nRCPT "
      "TO:<x@nowhere.test>\r\n"
      "DATA\r\nSubject: in\r\n\r\n.\r\nQUIT\r\n");
  EXPECT_EQ(
      replies,
      "250 mx.example.com\r\n250 OK\r\n250 OK\r\n250 OK\r\n530 Authentication required\r\n354 Go ahead\r\n250 OK\r\n"
      "221 Closing Connection\r\n");
  ASSERT_EQ(world.worker.taken.size(), 2u);
  const auto routed = world.store->message(Installation::kServer, world.worker.taken[0].message_id);
  EXPECT_EQ(routed->scope, "incoming");
  EXPECT_TRUE(routed->route_id);
  const auto bounce = world.store->message(Installation::kServer, world.worker.taken[1].message_id);
  EXPECT_TRUE(bounce->bounce);
}

TEST(Listenings, FollowTheConfiguration) {
  config::Config config;
  config.smtp_server.default_bind_address = "::";
  EXPECT_EQ(listenings_of(config).at(0).port, 25);

  config.smtp_server.tls_enabled = true;
  config.smtp_server.listeners = {"smtp://0.0.0.0:2525?hostname=in.test&proxy=v2", "submission://[::1]?name=apps",
                                  "submissions://?max_message_size=50"};
  const auto all = listenings_of(config);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].address, "0.0.0.0");
  EXPECT_EQ(all[0].port, 2525);
  EXPECT_EQ(all[0].settings.host, "in.test");
  EXPECT_TRUE(all[0].settings.proxy_protocol);
  EXPECT_EQ(all[1].address, "::1");
  EXPECT_EQ(all[1].port, 587);
  EXPECT_EQ(all[1].settings.name, "apps");
  EXPECT_TRUE(all[1].settings.auth_requires_tls);
  EXPECT_EQ(all[1].settings.auth, smtp::server::Settings::AuthPolicy::Required);
  EXPECT_EQ(all[2].port, 465);
  EXPECT_TRUE(all[2].settings.implicit_tls);
  EXPECT_EQ(all[2].settings.max_message_megabytes, 50u);
  EXPECT_EQ(all[0].limits, all[2].limits);
}

}  // namespace
}  // namespace posthaste::intake
