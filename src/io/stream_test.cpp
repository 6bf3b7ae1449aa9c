#include "io/stream.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "io/testing.h"

namespace posthaste::io {
namespace {

const IpAddress kLoopback = *IpAddress::parse("127.0.0.1");

Endpoint at(const Listener& listener) { return {kLoopback, listener.port()}; }

Task<> echo(Stream stream) {
  std::array<char, 4096> buffer;
  while (true) {
    auto got = co_await stream.read_some(buffer, 5s);
    if (!got) co_return;
    const std::string_view bytes(buffer.data(), *got);
    auto put = co_await stream.write(bytes, 5s);
    if (!put) co_return;
  }
}

Task<> hold(Stream stream) {
  co_await Loop::current()->sleep(10s);
  stream.close();
}

Task<std::string> read_exactly(Stream& stream, std::size_t count) {
  std::string text(count, '\0');
  std::size_t have = 0;
  while (have < count) {
    const std::span<char> rest(text.data() + have, count - have);
    auto got = co_await stream.read_some(rest, 5s);
    if (!got) throw std::runtime_error("read failed: " + got.error().text);
    have += *got;
  }
  co_return text;
}

std::unique_ptr<Listener> listen(Loop& loop, Listener::Serve serve, std::string_view address = "127.0.0.1") {
  auto listener = Listener::open(loop, address, 0, false, std::move(serve));
  if (!listener) throw std::runtime_error(listener.error().text);
  return std::move(*listener);
}

Task<Stream> connect(Endpoint to) {
  auto stream = co_await Stream::connect(to, std::nullopt, 5s);
  if (!stream) throw std::runtime_error(stream.error().text + ": " + stream.error().cause);
  co_return std::move(*stream);
}

TEST(Stream, EchoesBytes) {
  run_task([](Loop& loop) -> Task<> {
    auto listener = listen(loop, echo);
    Stream stream = co_await connect(at(*listener));
    auto written = co_await stream.write("hello", 5s);
    EXPECT_TRUE(written.has_value());
    EXPECT_EQ(co_await read_exactly(stream, 5), "hello");
  });
}

TEST(Stream, KnowsBothEnds) {
  run_task([](Loop& loop) -> Task<> {
    Endpoint seen;
    auto listener = listen(loop, [&](Stream stream) {
      seen = stream.peer();
      return echo(std::move(stream));
    });
    const IpAddress source = *IpAddress::parse("127.0.0.9");
    auto stream = co_await Stream::connect(at(*listener), source, 5s);
    EXPECT_TRUE(stream.has_value());
    EXPECT_EQ(stream->peer().port, listener->port());
    EXPECT_EQ(stream->local().ip, source);
    (void)co_await stream->write("x", 5s);
    (void)co_await read_exactly(*stream, 1);
    EXPECT_EQ(seen.ip, source);
    EXPECT_EQ(seen.port, stream->local().port);
  });
}

Task<> write_pieces(Stream& stream, const std::vector<std::string_view>& pieces, bool& done) {
  auto written = co_await stream.write_all(pieces, 5s);
  done = written.has_value();
}

TEST(Stream, WritesManyPiecesInOrderWhileReading) {
  run_task([](Loop& loop) -> Task<> {
    auto listener = listen(loop, echo);
    Stream stream = co_await connect(at(*listener));
    std::string expected;
    std::vector<std::string> texts;
    for (int i = 0; i < 3000; ++i) texts.push_back(i % 7 == 0 ? "" : std::string(i % 1500, 'a' + i % 26));
    const std::vector<std::string_view> pieces(texts.begin(), texts.end());
    for (const auto& text : texts) expected += text;
    bool done = false;
    loop.spawn(write_pieces(stream, pieces, done), "writer");
    EXPECT_EQ(co_await read_exactly(stream, expected.size()), expected);
    EXPECT_TRUE(done);
  });
}

TEST(Stream, ReportsTheEndOfThePeer) {
  run_task([](Loop& loop) -> Task<> {
    auto listener = listen(loop, [](Stream) -> Task<> { co_return; });
    Stream stream = co_await connect(at(*listener));
    std::array<char, 8> buffer;
    auto got = co_await stream.read_some(buffer, 5s);
    EXPECT_FALSE(got.has_value());
    EXPECT_EQ(got.error().kind, ErrorKind::Closed);
  });
}

TEST(Stream, ReadTimesOutAndMayBeTriedAgain) {
  run_task([](Loop& loop) -> Task<> {
    auto listener = listen(loop, [](Stream stream) -> Task<> {
      co_await Loop::current()->sleep(60ms);
      (void)co_await stream.write("late", 5s);
    });
    Stream stream = co_await connect(at(*listener));
    std::array<char, 8> buffer;
    const auto start = std::chrono::steady_clock::now();
    auto got = co_await stream.read_some(buffer, 20ms);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 20ms);
    EXPECT_FALSE(got.has_value());
    EXPECT_EQ(got.error().kind, ErrorKind::Timeout);
    EXPECT_EQ(co_await read_exactly(stream, 4), "late");
  });
}

TEST(Stream, WriteTimesOutWithoutProgress) {
  run_task([](Loop& loop) -> Task<> {
    auto listener = listen(loop, hold);
    Stream stream = co_await connect(at(*listener));
    const std::string much(64 * 1024 * 1024, 'x');
    auto written = co_await stream.write(much, 50ms);
    EXPECT_FALSE(written.has_value());
    EXPECT_EQ(written.error().kind, ErrorKind::Timeout);
  });
}

Task<> read_slowly(Stream stream) {
  std::vector<char> buffer(1024 * 1024);
  while (true) {
    co_await Loop::current()->sleep(10ms);
    auto got = co_await stream.read_some(buffer, 5s);
    if (!got) co_return;
  }
}

TEST(Stream, WriteTimeoutRestartsOnProgress) {
  run_task([](Loop& loop) -> Task<> {
    auto listener = listen(loop, read_slowly);
    Stream stream = co_await connect(at(*listener));
    const std::string much(40 * 1024 * 1024, 'x');
    const auto start = std::chrono::steady_clock::now();
    auto written = co_await stream.write(much, 200ms);
    EXPECT_TRUE(written.has_value());
    EXPECT_GT(std::chrono::steady_clock::now() - start, 200ms);
  });
}

Task<> read_once(Stream& stream, std::optional<ErrorKind>& outcome) {
  std::array<char, 8> buffer;
  auto got = co_await stream.read_some(buffer, 10s);
  if (!got) outcome = got.error().kind;
}

TEST(Stream, CloseEndsAPendingRead) {
  run_task([](Loop& loop) -> Task<> {
    auto listener = listen(loop, hold);
    Stream stream = co_await connect(at(*listener));
    std::optional<ErrorKind> outcome;
    loop.spawn(read_once(stream, outcome), "reader");
    co_await loop.sleep(5ms);
    EXPECT_FALSE(outcome.has_value());
    stream.close();
    stream.close();
    EXPECT_FALSE(outcome.has_value());  // not from within close()
    co_await loop.sleep(5ms);
    EXPECT_EQ(outcome, ErrorKind::Closed);
    EXPECT_FALSE(stream.open());
    std::array<char, 8> buffer;
    auto got = co_await stream.read_some(buffer, 1s);
    EXPECT_EQ(got.error().kind, ErrorKind::Closed);
  });
}

TEST(Stream, MayGoAwayBeforeItsOperations) {
  run_task([](Loop& loop) -> Task<> {
    auto listener = listen(loop, hold);
    std::optional<ErrorKind> outcome;
    {
      Stream stream = co_await connect(at(*listener));
      loop.spawn(read_once(stream, outcome), "reader");
      co_await loop.sleep(5ms);
    }
    co_await loop.sleep(5ms);
    EXPECT_EQ(outcome, ErrorKind::Closed);
  });
}

TEST(Stream, NeverConnectedIsClosed) {
  run_task([](Loop&) -> Task<> {
    Stream stream;
    EXPECT_FALSE(stream.open());
    auto written = co_await stream.write("x", 1s);
    EXPECT_EQ(written.error().kind, ErrorKind::Closed);
  });
}

TEST(Stream, TellsWhyItCannotConnect) {
  run_task([](Loop& loop) -> Task<> {
    auto listener = listen(loop, echo);
    const Endpoint gone = at(*listener);
    listener.reset();
    auto stream = co_await Stream::connect(gone, std::nullopt, 5s);
    EXPECT_FALSE(stream.has_value());
    EXPECT_EQ(stream.error().kind, ErrorKind::Unavailable);
    EXPECT_EQ(stream.error().cause, "Connection refused");
  });
}

TEST(Stream, FinishLetsThePeerReadTheLastReply) {
  run_task([](Loop& loop) -> Task<> {
    auto listener = listen(loop, [](Stream stream) -> Task<> {
      (void)co_await stream.write("go away", 5s);
      co_await stream.finish(5s);
    });
    Stream stream = co_await connect(at(*listener));
    const std::string much(8 * 1024 * 1024, 'x');
    auto written = co_await stream.write(much, 5s);
    EXPECT_TRUE(written.has_value());
    EXPECT_EQ(co_await read_exactly(stream, 7), "go away");
  });
}

TEST(Listener, TakesBothFamiliesOnTheUnspecifiedAddress) {
  run_task([](Loop& loop) -> Task<> {
    std::vector<std::string> peers;
    auto serve = [&](Stream stream) {
      peers.push_back(stream.peer().ip.text());
      return echo(std::move(stream));
    };
    auto listener = listen(loop, serve, "::");
    std::vector<std::string> expected;
    for (const char* text : {"127.0.0.1", "::1"}) {
      const Endpoint to{*IpAddress::parse(text), listener->port()};
      auto stream = co_await Stream::connect(to, std::nullopt, 5s);
      if (!stream && to.ip.v6) continue;  // a machine without IPv6
      EXPECT_TRUE(stream.has_value());
      (void)co_await stream->write("x", 5s);
      (void)co_await read_exactly(*stream, 1);
      expected.push_back(text);
    }
    EXPECT_EQ(peers, expected);
  });
}

TEST(Listener, SharesAPortWhenAskedAndOnlyThen) {
  Loop loop;
  auto first = Listener::open(loop, "127.0.0.1", 0, true, echo);
  ASSERT_TRUE(first.has_value());
  auto second = Listener::open(loop, "127.0.0.1", (*first)->port(), true, echo);
  EXPECT_TRUE(second.has_value());
  auto alone = Listener::open(loop, "127.0.0.1", (*first)->port(), false, echo);
  ASSERT_FALSE(alone.has_value());
  EXPECT_EQ(alone.error().kind, ErrorKind::Unavailable);
  EXPECT_NE(alone.error().text.find("address already in use"), std::string::npos) << alone.error().text;
}

TEST(Listener, FreesItsPortAtOnceWhenClosed) {
  Loop loop;
  auto first = Listener::open(loop, "127.0.0.1", 0, false, echo);
  const auto port = (*first)->port();
  (*first)->close();
  EXPECT_TRUE(Listener::open(loop, "127.0.0.1", port, false, echo).has_value());
}

TEST(Listener, RefusesWhatIsNoAddress) {
  Loop loop;
  auto listener = Listener::open(loop, "localhost", 0, false, echo);
  ASSERT_FALSE(listener.has_value());
  EXPECT_EQ(listener.error().kind, ErrorKind::Invalid);
}

TEST(Listener, ServesAUnixSocketWithItsMode) {
  const std::string path = (std::filesystem::temp_directory_path() / fmt::format("io-test-{}", ::getpid())).string();
  run_task([&](Loop& loop) -> Task<> {
    auto listener = Listener::open_unix(loop, path, 0600, echo);
    EXPECT_TRUE(listener.has_value());
    struct stat status{};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    EXPECT_FALSE(Listener::open_unix(loop, path, 0600, echo).has_value()) << "in use";

    auto stream = co_await Stream::connect_unix(path, 5s);
    EXPECT_TRUE(stream.has_value());
    (void)co_await stream->write("unix", 5s);
    EXPECT_EQ(co_await read_exactly(*stream, 4), "unix");
    EXPECT_EQ(stream->peer().ip.text(), "0.0.0.0");
  });
  EXPECT_FALSE(std::filesystem::exists(path));
}

// Leaves no file descriptor free while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const int next = ::dup(0);  // the lowest free one
    ::close(next);
    const rlimit none{static_cast<rlim_t>(next), before_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
  }
  ~NoDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

std::chrono::microseconds processor_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto sum = [](timeval a, timeval b) { return (a.tv_sec + b.tv_sec) * 1'000'000 + a.tv_usec + b.tv_usec; };
  return std::chrono::microseconds(sum(usage.ru_utime, usage.ru_stime));
}

TEST(Listener, WaitsQuietlyForDescriptorsAndThenGoesOn) {
  run_task([](Loop& loop) -> Task<> {
    auto listener = listen(loop, echo);
    co_await loop.sleep(5ms);
    // A plain socket is connected by the kernel, whether accepted or not.
    const int client = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(listener->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    {
      NoDescriptors none;
      EXPECT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
      const auto before = processor_time();
      co_await loop.sleep(350ms);
      EXPECT_LT(processor_time() - before, 100ms);
    }
    EXPECT_EQ(::send(client, "hi", 2, 0), 2);
    co_await loop.sleep(200ms);
    std::array<char, 8> buffer;
    EXPECT_EQ(::recv(client, buffer.data(), buffer.size(), MSG_DONTWAIT), 2);
    ::close(client);
  });
}

TEST(Listener, SpreadsConnectionsOverLoops) {
  Runtime runtime(2);
  std::array<std::atomic<int>, 2> served{};
  std::vector<std::unique_ptr<Listener>> listeners;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::uint16_t port = i == 0 ? 0 : listeners[0]->port();
    auto serve = [&served, &runtime, i](Stream stream) {
      if (Loop::current() == &runtime.at(i)) ++served[i];
      return echo(std::move(stream));
    };
    listeners.push_back(*Listener::open(runtime.at(i), "127.0.0.1", port, true, serve));
  }
  runtime.start();
  run_task([&](Loop&) -> Task<> {
    for (int i = 0; i < 64; ++i) {
      Stream stream = co_await connect(at(*listeners[0]));
      (void)co_await stream.write("x", 5s);
      (void)co_await read_exactly(stream, 1);
    }
  });
  EXPECT_EQ(served[0] + served[1], 64);
  EXPECT_GT(served[0], 0);
  EXPECT_GT(served[1], 0);
  listeners.clear();
  EXPECT_TRUE(runtime.wait_idle(5s));
}

}  // namespace
}  // namespace posthaste::io
