// The HTTP client against a scripted server on loopback.
#include "io/http_client.h"

#include <gtest/gtest.h>

#include "base/strings.h"
#include "io/testing.h"
#include "io/testing_http.h"

namespace posthaste::io {

namespace {

// Names that DNS knows; everything else does not exist.
class Names final : public Resolver {
 public:
  std::map<std::string, std::vector<IpAddress>> hosts;

  Task<DnsAnswer<MxRecord>> mx(std::string, bool) override { co_return DnsAnswer<MxRecord>{}; }
  Task<DnsAnswer<IpAddress>> a(std::string name) override { return of(std::move(name), false); }
  Task<DnsAnswer<IpAddress>> aaaa(std::string name) override { return of(std::move(name), true); }
  Task<DnsAnswer<std::string>> txt(std::string, bool) override { co_return DnsAnswer<std::string>{}; }
  Task<DnsAnswer<std::string>> cname(std::string, bool) override { co_return DnsAnswer<std::string>{}; }
  Task<DnsAnswer<std::string>> ns(std::string) override { co_return DnsAnswer<std::string>{}; }
  Task<DnsAnswer<std::string>> ptr(IpAddress) override { co_return DnsAnswer<std::string>{}; }

 private:
  Task<DnsAnswer<IpAddress>> of(std::string name, bool v6) {
    DnsAnswer<IpAddress> answer;
    answer.status = DnsStatus::NxDomain;
    for (const auto& ip : hosts[name]) {
      answer.status = DnsStatus::Ok;
      if (ip.v6 == v6) answer.records.push_back(ip);
    }
    co_return answer;
  }
};

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }

class HttpClientTest : public testing::Test {
 protected:
  HttpClientTest() {
    options.destinations.private_networks = true;
    options.proxies = {};
    options.hosts_file = "/nonexistent";
  }

  HttpAnswer send(HttpCall call) {
    auto client = make_http_client(names, options);
    HttpAnswer answer;
    run_task([&](Loop&) -> Task<> {
      auto sent = client->send(std::move(call));
      answer = co_await std::move(sent);
    });
    return answer;
  }
  HttpAnswer post(std::string url, std::string body = "{}") {
    HttpCall call;
    call.url = std::move(url);
    call.headers = {{"Content-Type", "application/json"}, {"User-Agent", "Postal/3.3.6"}};
    call.body = std::move(body);
    return send(std::move(call));
  }

  Names names;
  HttpClientOptions options;
};

}  // namespace

TEST_F(HttpClientTest, PostsTheBodyAndReadsTheAnswer) {
  ScriptedHttpServer server("HTTP/1.1 201 Created\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nOK");
  const auto answer = post(server.url("/hook?a=%20&b=1#part"), R"({"event":"x"})");
  EXPECT_EQ(answer.code, 201);
  EXPECT_TRUE(answer.ok());
  EXPECT_EQ(answer.body, "OK");
  EXPECT_EQ(answer.remote_ip, "127.0.0.1");
  ASSERT_TRUE(answer.header("retry-after"));
  EXPECT_EQ(*answer.header("retry-after"), "7");
  const auto request = server.requests().at(0);
  EXPECT_TRUE(request.starts_with("POST /hook?a=%20&b=1 HTTP/1.1\r\n")) << request;
  EXPECT_TRUE(request.ends_with("\r\n\r\n{\"event\":\"x\"}"));
  EXPECT_TRUE(request.contains("Accept: */*\r\n"));
  EXPECT_TRUE(request.contains("Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3\r\n"));
  EXPECT_TRUE(request.contains("User-Agent: Postal/3.3.6\r\n"));
  EXPECT_FALSE(request.contains("Expect:"));
}

TEST_F(HttpClientTest, UserInformationBecomesBasicAuthorizationUndecoded) {
  ScriptedHttpServer server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  (void)post(fmt::format("http://u:p%40@127.0.0.1:{}", server.port()));
  EXPECT_TRUE(server.requests().at(0).starts_with("POST / HTTP/1.1\r\n"));
  EXPECT_TRUE(server.requests().at(0).contains("Authorization: Basic " + base64_encode("u:p%40") + "\r\n"));
}

TEST_F(HttpClientTest, ARedirectIsAnAnswer) {
  ScriptedHttpServer server("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(post(server.url("/")).code, 302);
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(HttpClientTest, ASilentHostTimesOut) {
  ScriptedHttpServer server("");
  HttpCall call;
  call.url = server.url("/");
  call.timeout = 300ms;
  const auto answer = send(std::move(call));
  EXPECT_EQ(answer.code, http_code::kTimeout);
  EXPECT_EQ(answer.body, "Timed out after 1s");
  EXPECT_GE(answer.took, 290ms);  // libcurl counts whole milliseconds
}

TEST_F(HttpClientTest, AClosedPortAndACutConnectionAreConnectionFailures) {
  std::uint16_t closed = 0;
  {
    closed = ScriptedHttpServer("").port();
  }
  const auto refused = post(fmt::format("http://127.0.0.1:{}/", closed));
  EXPECT_EQ(refused.code, http_code::kConnection);
  EXPECT_EQ(refused.body, fmt::format("Failed to open TCP connection to 127.0.0.1:{} (Connection refused)", closed));
  ScriptedHttpServer hangs_up(ScriptedHttpServer::kHangUp);
  EXPECT_EQ(post(hangs_up.url("/")).code, http_code::kConnection);
}

TEST_F(HttpClientTest, PlainTextWhereTlsIsExpectedIsATlsFailure) {
  ScriptedHttpServer server("HTTP/1.1 400 Bad Request\r\n\r\n");
  const auto answer = post(fmt::format("https://127.0.0.1:{}/", server.port()));
  EXPECT_EQ(answer.code, http_code::kTls);
  EXPECT_EQ(answer.body, "Invalid SSL certificate");
  EXPECT_FALSE(answer.cause.empty());
}

TEST_F(HttpClientTest, ReadsNoMoreOfABodyThanAsked) {
  const std::string body(300'000, 'x');
  ScriptedHttpServer server("HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + body);
  const auto answer = post(server.url("/"));
  EXPECT_EQ(answer.code, 200);
  EXPECT_EQ(answer.body.size(), 65536u);
}

TEST_F(HttpClientTest, ABodyThatCannotBeDecodedDoesNotHideTheStatus) {
  ScriptedHttpServer server("HTTP/1.1 503 No\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd");
  EXPECT_EQ(post(server.url("/")).code, 503);
}

TEST_F(HttpClientTest, ConnectsToTheAddressThatTheResolverGave) {
  ScriptedHttpServer server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  names.hosts["hooks.example.com"] = {ip("127.0.0.1")};
  const auto answer = post(fmt::format("http://Hooks.Example.com:{}/", server.port()));
  EXPECT_EQ(answer.code, 200);
  EXPECT_TRUE(server.requests().at(0).contains(fmt::format("Host: hooks.example.com:{}\r\n", server.port())));
}

TEST_F(HttpClientTest, AnUnknownNameIsAConnectionFailure) {
  const auto answer = post("http://nowhere.example.com/");
  EXPECT_EQ(answer.code, http_code::kConnection);
  EXPECT_EQ(answer.body, "Could not resolve 'nowhere.example.com' to any IP address");
}

TEST_F(HttpClientTest, RefusesWhatThePolicyForbidsWithoutConnecting) {
  ScriptedHttpServer server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  options.destinations.private_networks = false;
  names.hosts["both.example.com"] = {ip("192.0.2.1"), ip("127.0.0.1")};
  const auto answer = post(fmt::format("http://both.example.com:{}/", server.port()));
  EXPECT_EQ(answer.code, http_code::kRefused);
  EXPECT_EQ(answer.body, "Destination 'both.example.com' (127.0.0.1) is not permitted");
  EXPECT_EQ(post("/hook").body, "No host was given for the request");
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(HttpClientTest, OneMayNotStopTheOthers) {
  ScriptedHttpServer silent(""), healthy("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  auto client = make_http_client(names, options);
  HttpAnswer slow, quick;
  Duration quick_took{};
  run_task([&](Loop& loop) -> Task<> {
    HttpCall hanging, fine;
    hanging.url = silent.url("/");
    hanging.timeout = 800ms;
    fine.url = healthy.url("/");
    auto background = [](HttpClient& c, HttpCall call, HttpAnswer& into) -> Task<> {
      auto sent = c.send(std::move(call));
      into = co_await std::move(sent);
    };
    loop.spawn(background(*client, std::move(hanging), slow), "hanging");
    auto sent = client->send(std::move(fine));
    quick = co_await std::move(sent);
    quick_took = quick.took;
    while (slow.code == 0) co_await loop.sleep(20ms);
  });
  EXPECT_EQ(quick.code, 200);
  EXPECT_LT(quick_took, 700ms);
  EXPECT_EQ(slow.code, http_code::kTimeout);
}

TEST_F(HttpClientTest, AnEndingClientAnswers) {
  ScriptedHttpServer silent("");
  auto client = make_http_client(names, options);
  HttpAnswer answer;
  run_task([&](Loop& loop) -> Task<> {
    auto background = [](HttpClient& c, std::string url, HttpAnswer& into) -> Task<> {
      HttpCall call;
      call.url = std::move(url);
      auto sent = c.send(std::move(call));
      into = co_await std::move(sent);
    };
    loop.spawn(background(*client, silent.url("/"), answer), "hanging");
    co_await loop.sleep(100ms);
    client.reset();
    while (answer.code == 0) co_await loop.sleep(10ms);
  });
  EXPECT_EQ(answer.code, http_code::kConnection);
}

TEST(HttpUrl, IsTakenApart) {
  const auto url = parse_http_url("HTTPS://user:pa%40ss@Bücher.example:8443?x=1#y");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->https);
  EXPECT_EQ(url->host, "xn--bcher-kva.example");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->user_info, "user:pa%40ss");
  EXPECT_EQ(url->target, "/?x=1");
  EXPECT_EQ(url->text(), "https://xn--bcher-kva.example:8443/?x=1");
  EXPECT_EQ(parse_http_url("http://[::1]/")->host, "::1");
  EXPECT_EQ(parse_http_url("http://[::1]/")->site(), "http://[::1]:80");
  EXPECT_FALSE(parse_http_url("http:///path"));
  EXPECT_FALSE(parse_http_url("example.com/path"));
  EXPECT_FALSE(parse_http_url("http://a b/"));
  EXPECT_FALSE(parse_http_url("http://a:99999/"));
  EXPECT_EQ(without_user_info("http://u:p@host/x@y"), "http://host/x@y");
}

TEST(Destination, FollowsPolicyAndList) {
  const auto refused = [](const DestinationPolicy& policy, std::string_view address, std::uint16_t port = 80) {
    const std::vector<IpAddress> addresses = {ip(address)};
    return refused_address(policy, "host.example", port, addresses).has_value();
  };
  DestinationPolicy strict, open;
  open.private_networks = true;
  for (const auto* address : {"10.1.2.3", "127.0.0.1", "100.64.0.1", "172.31.0.1", "192.168.0.1", "198.18.0.1",
                              "240.0.0.1", "::1", "fd00::1", "64:ff9b::7f00:1", "2002:7f00:1::1", "::ffff:10.0.0.1"}) {
    EXPECT_TRUE(refused(strict, address)) << address;
    EXPECT_FALSE(refused(open, address)) << address;
  }
  for (const auto* address :
       {"169.254.169.254", "0.0.0.0", "224.0.0.1", "::", "fe80::1", "ff02::1", "fd00:ec2::254", "64:ff9b::a9fe:a9fe"}) {
    EXPECT_TRUE(refused(strict, address)) << address;
    EXPECT_TRUE(refused(open, address)) << address;
  }
  EXPECT_FALSE(refused(strict, "8.8.8.8"));
  EXPECT_FALSE(refused(strict, "2001:4860:4860::8888"));

  strict.allowed = {"10.0.0.0/8", "HOST.example"};
  EXPECT_FALSE(refused(strict, "127.0.0.1")) << "its name is listed";
  strict.allowed = {"10.0.0.0/8"};
  EXPECT_FALSE(refused(strict, "10.9.9.9"));
  EXPECT_TRUE(refused(strict, "127.0.0.1"));

  open.own_ports = {9090};
  open.own_addresses = {ip("192.0.2.10")};
  open.allowed = {"192.0.2.10"};
  EXPECT_TRUE(refused(open, "127.0.0.1", 9090));
  EXPECT_TRUE(refused(open, "192.0.2.10", 9090));
  EXPECT_FALSE(refused(open, "192.0.2.10", 80));
}

TEST(Proxies, SpareWhatTheEnvironmentNamesAndThisMachine) {
  const Proxies proxies{"http://proxy:3128", "http://proxy:3128", "internal.example, .corp, 192.0.2.0/24,other:8080"};
  const auto proxied = [&](std::string_view url) { return proxies.for_url(*parse_http_url(url)).has_value(); };
  EXPECT_TRUE(proxied("http://example.com/"));
  EXPECT_TRUE(proxied("https://example.com/"));
  EXPECT_FALSE(proxied("http://internal.example/"));
  EXPECT_FALSE(proxied("http://a.internal.example/"));
  EXPECT_TRUE(proxied("http://notinternal.example/"));
  EXPECT_FALSE(proxied("http://x.corp/"));
  EXPECT_FALSE(proxied("http://192.0.2.7/"));
  EXPECT_FALSE(proxied("http://other:8080/"));
  EXPECT_TRUE(proxied("http://other:81/"));
  EXPECT_FALSE(proxied("http://127.0.0.1:8090/"));
}

}  // namespace posthaste::io
