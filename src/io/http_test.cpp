#include "io/http.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "io/http_parser.h"
#include "io/testing.h"

namespace posthaste::io {
namespace {

HttpResponse describe(const HttpRequest& request) {
  return HttpResponse::text(200,
                            fmt::format("{} {} ?{} [{}]", request.method, request.path, request.query, request.body));
}

Task<HttpResponse> answer(HttpRequest request) {
  if (request.path == "/throw") throw std::runtime_error("expected by the test");
  if (request.path == "/slow") co_await Loop::current()->sleep(30ms);
  if (request.path == "/none") co_return HttpResponse{.status = 204};
  if (request.path == "/inject") {
    HttpResponse response;
    response.set("X-Test", "a\r\nSet-Cookie: b");
    co_return response;
  }
  co_return describe(request);
}

HttpResponse too_large(const HttpRequest& head) { return HttpResponse::json(413, "{\"path\":\"" + head.path + "\"}"); }

std::optional<HttpResponse> admit(const HttpRequest& head) {
  if (head.path != "/refused") return std::nullopt;
  return HttpResponse::text(200, "refused " + head.body);
}

// A server on a port of its own; `talk` sends raw bytes and reads until the server closes.
class Server {
 public:
  explicit Server(Loop& loop, HttpLimits limits = {}) {
    auto stopping = stopping_;
    auto serve = [limits, stopping](Stream stream) {
      return serve_http(std::move(stream), answer, limits, too_large, stopping, admit);
    };
    listener_ = std::move(*Listener::open(loop, "127.0.0.1", 0, false, serve));
  }

  Task<Stream> connect() {
    const Endpoint to{*IpAddress::parse("127.0.0.1"), listener_->port()};
    auto stream = co_await Stream::connect(to, std::nullopt, 5s);
    if (!stream) throw std::runtime_error(stream.error().text);
    co_return std::move(*stream);
  }

  Task<std::string> talk(std::string bytes) {
    Stream stream = co_await connect();
    (void)co_await stream.write(bytes, 5s);
    co_return co_await read_all(stream);
  }

  static Task<std::string> read_all(Stream& stream) {
    std::string all;
    std::array<char, 4096> buffer;
    while (true) {
      auto got = co_await stream.read_some(buffer, 5s);
      if (!got && got.error().kind == ErrorKind::Timeout) throw std::runtime_error("the server did not close");
      if (!got) co_return all;
      all.append(buffer.data(), *got);
    }
  }

  static Task<std::string> read_until(Stream& stream, std::string_view mark) {
    std::string all;
    std::array<char, 4096> buffer;
    while (all.find(mark) == std::string::npos) {
      auto got = co_await stream.read_some(buffer, 5s);
      if (!got) throw std::runtime_error("closed before " + std::string(mark) + ": " + all);
      all.append(buffer.data(), *got);
    }
    co_return all;
  }

  void stop() { *stopping_ = true; }

 private:
  std::shared_ptr<std::atomic<bool>> stopping_ = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<Listener> listener_;
};

std::string body_of(const std::string& response) { return response.substr(response.find("\r\n\r\n") + 4); }
bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(HttpServer, AnswersARequest) {
  run_task([](Loop& loop) -> Task<> {
    Server server(loop);
    const std::string got = co_await server.talk(
        "POST /a%20b/%zz?x=%20 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nbody");
    EXPECT_TRUE(got.starts_with("HTTP/1.1 200 OK\r\n")) << got;
    EXPECT_TRUE(has(got, "\r\nContent-Type: text/plain; charset=utf-8\r\n")) << got;
    EXPECT_TRUE(has(got, "\r\nConnection: close\r\n")) << got;
    EXPECT_TRUE(has(got, " GMT\r\n")) << got;
    EXPECT_EQ(body_of(got), "POST /a b/%zz ?x=%20 [body]");
  });
}

TEST(HttpServer, KeepsTheConnectionForPipelinedRequests) {
  run_task([](Loop& loop) -> Task<> {
    Server server(loop);
    const std::string got = co_await server.talk(
        "GET /slow HTTP/1.1\r\nHost: x\r\n\r\nPOST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi\r\n"
        "GET http://x/3?q HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const auto first = got.find("GET /slow ? []"), second = got.find("POST /2 ? [hi]"),
               third = got.find("GET /3 ?q []");
    EXPECT_NE(third, std::string::npos) << got;
    EXPECT_LT(first, second);
    EXPECT_LT(second, third);
  });
}

TEST(HttpServer, ReadsBodiesInChunks) {
  run_task([](Loop& loop) -> Task<> {
    Server server(loop);
    Stream stream = co_await server.connect();
    for (const char* part : {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Enc", "oding: chunked\r\nConnection: close\r\n\r",
                             "\n4", "\r\nWiki\r\n5\r\npe", "dia\r\n0\r\n", "\r\n"}) {
      (void)co_await stream.write(part, 5s);
      co_await loop.sleep(2ms);
    }
    const std::string got = co_await Server::read_all(stream);
    EXPECT_EQ(body_of(got), "POST / ? [Wikipedia]");
  });
}

TEST(HttpServer, ReadsALargeBody) {
  run_task([](Loop& loop) -> Task<> {
    Server server(loop);
    const std::string body(5'000'000, 'x');
    const std::string got = co_await server.talk(fmt::format(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", body.size(), body));
    EXPECT_EQ(body_of(got).size(), body.size() + std::string("POST / ? []").size());
  });
}

TEST(HttpServer, LeavesOutTheBodyForHeadAndEmptyStatuses) {
  run_task([](Loop& loop) -> Task<> {
    Server server(loop);
    const std::string head = co_await server.talk("HEAD /h HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(has(head, "Content-Length: 12\r\n")) << head;
    EXPECT_EQ(body_of(head), "");
    const std::string none = co_await server.talk("GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(none.starts_with("HTTP/1.1 204 No Content\r\n")) << none;
    EXPECT_FALSE(has(none, "Content-Length")) << none;
  });
}

TEST(HttpServer, SaysContinueWhenAsked) {
  run_task([](Loop& loop) -> Task<> {
    Server server(loop);
    Stream stream = co_await server.connect();
    (void)co_await stream.write(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n", 5s);
    EXPECT_EQ(co_await Server::read_until(stream, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    (void)co_await stream.write("ok", 5s);
    EXPECT_EQ(body_of(co_await Server::read_all(stream)), "POST / ? [ok]");

    const std::string other = co_await server.talk("GET / HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n");
    EXPECT_TRUE(other.starts_with("HTTP/1.1 417 ")) << other;
  });
}

TEST(HttpServer, RefusesABodyAboveTheLimitWithTheHandlersWords) {
  run_task([](Loop& loop) -> Task<> {
    Server server(loop, HttpLimits{.body_bytes = 1000});
    const std::string announced =
        "POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\nExpect: 100-continue\r\n\r\n" +
        std::string(3000000, 'x');
    const std::string early = co_await server.talk(announced);
    EXPECT_TRUE(early.starts_with("HTTP/1.1 413 ")) << early.substr(0, 200);
    EXPECT_EQ(body_of(early), "{\"path\":\"/up\"}");

    const std::string chunked = "POST /up HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n800\r\n" +
                                std::string(0x800, 'x') + "\r\n0\r\n\r\n";
    const std::string late = co_await server.talk(chunked);
    EXPECT_TRUE(late.starts_with("HTTP/1.1 413 ")) << late;

    const std::string fits =
        "POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n" + std::string(1000, 'x');
    EXPECT_TRUE((co_await server.talk(fits)).starts_with("HTTP/1.1 200 "));
  });
}

TEST(HttpServer, RefusesGarbageAndEndlessHeads) {
  run_task([](Loop& loop) -> Task<> {
    Server server(loop, HttpLimits{.header_bytes = 2000});
    for (const std::string& garbage :
         {std::string("\x16\x03\x01\x02\x00\x01\r\n\r\n", 10), std::string("EHLO x\r\n\r\n"),
          std::string("GET / HTTP/9.9\r\n\r\n"), std::string("GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n"),
          std::string("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
          std::string("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")}) {
      const std::string got = co_await server.talk(garbage);
      EXPECT_TRUE(got.starts_with("HTTP/1.1 400 Bad Request\r\n")) << garbage << " -> " << got;
      EXPECT_TRUE(has(got, "Connection: close")) << got;
    }
    const std::string endless = "GET / HTTP/1.1\r\nX: " + std::string(5000, 'x') + "\r\n\r\n";
    EXPECT_TRUE((co_await server.talk(endless)).starts_with("HTTP/1.1 431 "));
  });
}

TEST(HttpServer, RefusesByTheHeadAndReadsNoBody) {
  run_task([](Loop& loop) -> Task<> {
    Server server(loop);
    std::string got = co_await server.talk("POST /refused HTTP/1.1\r\nContent-Length: 50\r\n\r\nabc");
    EXPECT_EQ(body_of(got), "refused ");
    EXPECT_TRUE(has(got, "Connection: close\r\n")) << got;
    got = co_await server.talk("POST /refused HTTP/1.1\r\nContent-Length: 50\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_TRUE(got.starts_with("HTTP/1.1 200 ")) << got;
  });
}

TEST(HttpServer, TurnsAnExceptionIntoA500AndGoesOn) {
  run_task([](Loop& loop) -> Task<> {
    Server server(loop);
    const std::string got = co_await server.talk(
        "GET /throw HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(got.starts_with("HTTP/1.1 500 Internal Server Error\r\n")) << got;
    EXPECT_FALSE(has(got, "expected by the test")) << got;
    EXPECT_TRUE(has(got, "GET /next")) << got;
  });
}

TEST(HttpServer, LetsNoHeaderBreakTheResponse) {
  run_task([](Loop& loop) -> Task<> {
    Server server(loop);
    const std::string got = co_await server.talk("GET /inject HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_FALSE(has(got, "\r\nSet-Cookie")) << got;
  });
}

TEST(HttpServer, SpeaksToOldClients) {
  run_task([](Loop& loop) -> Task<> {
    Server server(loop);
    const std::string closed = co_await server.talk("GET /old HTTP/1.0\r\n\r\n");
    EXPECT_EQ(body_of(closed), "GET /old ? []");
    Stream stream = co_await server.connect();
    (void)co_await stream.write("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 5s);
    EXPECT_TRUE(has(co_await Server::read_until(stream, "[]"), "Connection: keep-alive\r\n"));
  });
}

TEST(HttpServer, EndsSlowAndIdleConnections) {
  run_task([](Loop& loop) -> Task<> {
    Server server(loop, HttpLimits{.header_timeout = 40ms, .body_timeout = 40ms, .keep_alive = 40ms});
    EXPECT_EQ(co_await server.talk(""), "");
    EXPECT_TRUE((co_await server.talk("GET / HT")).starts_with("HTTP/1.1 408 "));
    EXPECT_TRUE((co_await server.talk("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nabc")).starts_with("HTTP/1.1 408 "));
    const std::string idle = co_await server.talk("GET /idle HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_FALSE(has(idle, "Connection: close")) << idle;
  });
}

TEST(HttpServer, EndsConnectionsWhenItStops) {
  run_task([](Loop& loop) -> Task<> {
    Server server(loop);
    Stream busy = co_await server.connect();
    Stream idle = co_await server.connect();
    (void)co_await busy.write("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n", 5s);
    co_await loop.sleep(5ms);
    server.stop();
    EXPECT_TRUE(has(co_await Server::read_all(busy), "Connection: close\r\n"));
    EXPECT_EQ(co_await Server::read_all(idle), "");
  });
}

TEST(HttpRequest, FindsHeadersInAnyCase) {
  HttpRequest request;
  request.headers = {{"X-Server-API-Key", "one"}, {"x-server-api-key", "two"}};
  EXPECT_EQ(request.header("x-SERVER-api-key"), "one");
  EXPECT_EQ(request.header("absent"), "");
  EXPECT_FALSE(request.has_header("absent"));
}

TEST(HttpResponse, ReplacesHeaders) {
  HttpResponse response = HttpResponse::json(200, "{}");
  response.set("content-type", "text/html");
  ASSERT_EQ(response.headers.size(), 1u);
  EXPECT_EQ(response.headers[0].second, "text/html");
}

TEST(PercentDecode, LeavesWhatIsNoEscape) {
  EXPECT_EQ(percent_decode("%41%4a%4A+%2F%"), "AJJ+/%");
  EXPECT_EQ(percent_decode("%4"), "%4");
  EXPECT_EQ(percent_decode("%g1%1g"), "%g1%1g");
  EXPECT_EQ(percent_decode("a%00b"), std::string("a\0b", 3));
}

}  // namespace
}  // namespace posthaste::io
