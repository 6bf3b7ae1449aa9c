// The server over real sockets: what the session's own tests cannot see.
#include "smtp/server/server.h"

#include <gtest/gtest.h>

#include <thread>

#include "io/testing.h"
#include "smtp/server/testing.h"

namespace posthaste::smtp::server {
namespace {

using io::Task;

// A server on a free port of the loopback, on loops of its own.
class Running {
 public:
  explicit Running(const std::function<void(Settings&)>& change = [](Settings&) {}) : runtime_(2) {
    Listening listening{.address = "127.0.0.1", .port = 0};
    listening.settings.host = "mx.example.com";
    change(listening.settings);
    runtime_.start();
    server = std::move(*Server::open(std::move(listening), handler, nullptr, runtime_));
  }
  ~Running() {
    stop(0s);
    runtime_.stop();
  }
  void stop(Duration deadline) {
    std::atomic<bool> done = false;
    runtime_.at(0).spawn(stop_task(server.get(), deadline, &done), "stop");
    for (int i = 0; i < 1000 && !done; ++i) std::this_thread::sleep_for(10ms);
  }
  io::Endpoint endpoint() const { return {*IpAddress::parse("127.0.0.1"), server->port()}; }

  testing::FakeHandler handler;

 private:
  static Task<> stop_task(Server* server, Duration deadline, std::atomic<bool>* done) {
    co_await server->stop(deadline);
    *done = true;
  }
  io::Runtime runtime_;

 public:
  std::unique_ptr<Server> server;  // ends before the loops do
};

struct Client {
  io::Stream stream;
  std::string received;
};

Task<Client> connect(const Running& server) {
  auto stream = co_await io::Stream::connect(server.endpoint(), std::nullopt, 5s);
  co_return Client{std::move(*stream), {}};
}

// Sends and waits until so many bytes of line ends have come, or the end.
Task<std::string> talk(Client& client, std::string bytes, std::size_t lines) {
  if (!bytes.empty()) {
    auto sent = co_await client.stream.write(bytes, 5s);
    if (!sent) co_return "cannot send";
  }
  std::string got;
  std::array<char, 4096> buffer;
  while (std::size_t(std::ranges::count(got, '\n')) < lines) {
    auto n = co_await client.stream.read_some(buffer, 5s);
    if (!n) {
      got += "(" + n.error().text + ")";
      break;
    }
    got.append(buffer.data(), *n);
  }
  co_return got;
}

TEST(Server, TakesAMessage) {
  Running server;
  io::run_task([&](io::Loop&) -> Task<> {
    auto client = co_await connect(server);
    auto banner = co_await talk(client, "", 1);
    EXPECT_TRUE(banner.starts_with("220 mx.example.com ESMTP Postal/")) << banner;
    auto envelope = co_await talk(client, "HELO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<info@local.test>\r\nDATA\r\n", 4);
    EXPECT_EQ(envelope, "250 mx.example.com\r\n250 OK\r\n250 OK\r\n354 Go ahead\r\n");
    std::string text = "Subject: x\r\n\r\n" + std::string(200000, 'x') + "\r\n.\r\nQUIT\r\n";
    auto end = co_await talk(client, std::move(text), 2);
    EXPECT_EQ(end, "250 OK\r\n221 Closing Connection\r\n");
    auto closed = co_await talk(client, "", 1);
    EXPECT_NE(closed.find('('), std::string::npos);
  });
  ASSERT_EQ(server.handler.stored.size(), 1u);
  EXPECT_GT(server.handler.stored[0].text.size(), 200000u);
}

TEST(Server, EndsIdleSessionsAtShutdown) {
  Running server;
  io::run_task([&](io::Loop&) -> Task<> {
    auto client = co_await connect(server);
    co_await talk(client, "EHLO x\r\n", 9);
    std::thread stopping([&] { server.stop(5s); });
    auto goodbye = co_await talk(client, "", 1);
    EXPECT_EQ(goodbye, "421 4.3.2 mx.example.com Service shutting down\r\n");
    client.stream.close();
    stopping.join();
  });
  EXPECT_EQ(server.server->connections(), 0u);
}

TEST(Server, LetsAMessageFinishAtShutdown) {
  Running server;
  io::run_task([&](io::Loop& loop) -> Task<> {
    auto client = co_await connect(server);
    co_await talk(client, "HELO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<info@local.test>\r\nDATA\r\n", 5);
    std::thread stopping([&] { server.stop(5s); });
    co_await loop.sleep(100ms);
    auto end = co_await talk(client, "a: b\r\n.\r\n", 2);
    EXPECT_EQ(end, "250 OK\r\n421 mx.example.com Service shutting down\r\n");
    client.stream.close();
    stopping.join();
  });
}

TEST(Server, CutsAMessageThatDoesNotFinishInTime) {
  Running server;
  io::run_task([&](io::Loop&) -> Task<> {
    auto client = co_await connect(server);
    co_await talk(client, "HELO x\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<info@local.test>\r\nDATA\r\n", 5);
    std::thread stopping([&] { server.stop(100ms); });
    auto end = co_await talk(client, "", 1);
    EXPECT_EQ(end, "421 mx.example.com Service shutting down\r\n");
    client.stream.close();
    stopping.join();
  });
  EXPECT_TRUE(server.handler.stored.empty());
}

TEST(Server, TimesOutACommandThatDrips) {
  Running server([](Settings& s) { s.command_timeout = 300ms; });
  io::run_task([&](io::Loop& loop) -> Task<> {
    auto client = co_await connect(server);
    co_await talk(client, "EHLO x\r\n", 9);
    for (int i = 0; i < 3; ++i) {
      auto sent = co_await client.stream.write("N", 1s);
      EXPECT_TRUE(sent.has_value());
      co_await loop.sleep(80ms);
    }
    auto end = co_await talk(client, "", 1);
    EXPECT_EQ(end, "421 4.4.2 mx.example.com Timeout waiting for client input\r\n");
  });
}

TEST(Server, RefusesMoreConnectionsThanAnAddressMayHave) {
  Running server([](Settings& s) { s.max_connections_per_ip = 1; });
  io::run_task([&](io::Loop&) -> Task<> {
    auto first = co_await connect(server);
    co_await talk(first, "", 1);
    auto second = co_await connect(server);
    auto refusal = co_await talk(second, "", 1);
    EXPECT_EQ(refusal, "421 mx.example.com Too many connections from your address\r\n");
  });
}

}  // namespace
}  // namespace posthaste::smtp::server
