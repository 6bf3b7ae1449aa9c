// The endpoint over a store on both engines: answers, and what is recorded.
#include "tracking/tracking.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "base/strings.h"
#include "io/loop.h"
#include "store/activity.h"
#include "store/testing_store.h"
#include "store/tracked_message.h"

namespace posthaste::tracking {
namespace {

using namespace std::chrono_literals;
using store::testing::fresh_installation;
using store::testing::Installation;

constexpr store::Id kServer = Installation::kServer;
constexpr std::string_view kToken = "AbCdEfGhIjKlMnOp";
constexpr std::string_view kBrowser = "Mozilla/5.0 (X11) Gecko Firefox/120.0";
const std::string kUrl = "https://example.com/one?a=1&b=2";

class TrackingTest : public ::testing::TestWithParam<sql::Dialect> {
 protected:
  TrackingTest() {
    world_.config.profile = config::Profile::Postal;
    world_.config.postal.web_hostname = "postal.example.com";
    world_.config.dns.track_domain = "track.example.com";
    store_ = world_.open();
    message_ = store::testing::accept(*store_, store::testing::submission()).value().messages.at(0);
    auto row = std::make_shared<store::TrackedMessage>();
    row->server_id = kServer;
    row->message_id = message_.message_id;
    row->raw_table = store_->message(kServer, message_.message_id)->raw_table;
    row->links = {{std::string(kToken), kUrl}, {"Bb11111111111111", "ftp://x.test"}};
    for (int i = 0; i < 3; ++i) row->links.push_back({fmt::format("burst{}", i), kUrl});
    row->now = system_now();
    write(store::tracked_message_write(row, std::make_shared<store::TrackedBefore>()));
    runtime_.start();
  }
  ~TrackingTest() override {
    runtime_.stop();
    store_->close();
  }

  void write(store::Write write) {
    std::promise<Result<>> answer;
    store_->write(std::move(write), [&](Result<> result) { answer.set_value(std::move(result)); });
    ASSERT_TRUE(answer.get_future().get());
  }

  Tracking& tracking() {
    if (!tracking_) tracking_.emplace(*store_, world_.config, pool_);
    return *tracking_;
  }
  static io::HttpRequest request(std::string_view target, std::string_view method = "GET", io::HttpHeaders more = {}) {
    io::HttpRequest r;
    r.method = method;
    r.path = target.substr(0, target.find('?'));
    if (target.contains('?')) r.query = target.substr(target.find('?') + 1);
    r.headers = std::move(more);
    if (!r.has_header("User-Agent")) r.headers.emplace_back("User-Agent", std::string(kBrowser));
    r.peer = *IpAddress::parse("127.0.0.1");
    r.received = system_now();
    return r;
  }
  static io::Task<> answer(Tracking* tracking, io::HttpRequest request, std::promise<io::HttpResponse> done) {
    auto response = co_await tracking->handle(std::move(request));
    done.set_value(std::move(response));
  }
  io::HttpResponse ask(io::HttpRequest request) {
    std::promise<io::HttpResponse> done;
    auto response = done.get_future();
    runtime_.at(0).spawn(answer(&tracking(), std::move(request), std::move(done)), "request");
    return response.get();
  }
  io::HttpResponse get(std::string_view target, io::HttpHeaders more = {}) { return ask(request(target, "GET", more)); }
  static std::string header(const io::HttpResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers)
      if (iequals(key, name)) return value;
    return "";
  }

  std::string link(std::string_view token = kToken) const { return fmt::format("/abcdef/{}", token); }
  std::string pixel() const { return "/img/abcdef/" + message_.token; }
  // What is there once so much is.
  store::Activity recorded(std::size_t loads, std::size_t clicks) {
    const auto until = std::chrono::steady_clock::now() + 5s;
    for (;; std::this_thread::sleep_for(10ms)) {
      auto found = store::activity(*store_, kServer, message_.message_id);
      const bool there = found.loads.size() >= loads && found.clicks.size() >= clicks;
      if (there || std::chrono::steady_clock::now() > until) return found;
    }
  }
  std::int64_t number(std::string_view sql) const { return world_.number(kServer, sql); }
  std::int64_t requests() const {
    return world_.sqlite() ? number("SELECT COUNT(*) FROM queued_webhook_requests")
                           : world_.main_number("SELECT COUNT(*) FROM {main}`webhook_requests`");
  }
  void add_webhook() {
    world_.run_main(
        "INSERT INTO {main}`webhooks` (server_id, uuid, name, url, all_events, enabled) VALUES (1, 'u', 'all', "
        "'http://x.test', 1, 1)");
    store_->reload_directory();
  }

  Installation& world_ = fresh_installation(GetParam());
  io::Runtime runtime_{1};
  io::Pool pool_{2};
  std::unique_ptr<store::Store> store_;
  store::StoredMessage message_;
  std::optional<Tracking> tracking_;
};

TEST_P(TrackingTest, ALinkRedirectsAndIsRecorded) {
  const auto answer = get(link());
  EXPECT_EQ(answer.status, 307);
  EXPECT_EQ(header(answer, "Location"), kUrl);
  EXPECT_EQ(answer.body, "Redirected to: " + kUrl);
  EXPECT_EQ(header(answer, "Cache-Control"), "no-store, private");
  EXPECT_EQ(header(answer, "Referrer-Policy"), "no-referrer");
  EXPECT_EQ(header(answer, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(header(answer, "X-Robots-Tag"), "noindex");
  const auto found = recorded(0, 1);
  ASSERT_EQ(found.clicks.size(), 1U);
  EXPECT_EQ(found.clicks[0].url, kUrl);
  EXPECT_EQ(found.clicks[0].ip_address, "127.0.0.1");
  EXPECT_EQ(found.clicks[0].user_agent, kBrowser);
  EXPECT_TRUE(store_->message(kServer, message_.message_id)->clicked);
}

TEST_P(TrackingTest, ThePixelIsAnImageAndTheFirstOpenStays) {
  const auto answer = get(pixel());
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(header(answer, "Content-Type"), "image/png");
  EXPECT_EQ(answer.body.size(), 68U);
  EXPECT_TRUE(answer.body.starts_with("\x89PNG\r\n\x1a\n"));
  recorded(1, 0);
  const auto loaded = store_->message(kServer, message_.message_id)->loaded;
  ASSERT_TRUE(loaded);
  get(pixel());
  EXPECT_EQ(recorded(2, 0).loads.size(), 2U);
  EXPECT_EQ(store_->message(kServer, message_.message_id)->loaded, loaded);
  EXPECT_EQ(get("/img/abcdef/AAAAAAAAAAAAAAAA").status, 200);
}

TEST_P(TrackingTest, TokensThatGatewaysWroteInLowerCaseWork) {
  EXPECT_EQ(get("/ABCDEF/" + to_lower(kToken)).status, 307);
  EXPECT_EQ(recorded(0, 1).clicks.size(), 1U);
  get("/img/AbCdEf/" + to_lower(message_.token));
  EXPECT_EQ(recorded(1, 1).loads.size(), 1U);
}

TEST_P(TrackingTest, AnswersInWords) {
  const auto said = [&](std::string_view target) {
    const auto answer = get(target);
    return fmt::format("{} {}", answer.status, answer.body);
  };
  EXPECT_EQ(said("/"), "200 Hello.");
  EXPECT_EQ(said("/robots.txt"), "200 User-agent: *\nDisallow: /\n");
  EXPECT_EQ(said("/zzzzzz/AAAAAAAAAAAAAAAA"), "404 Invalid Server Token");
  EXPECT_EQ(said("/img/zzzzzz/AAAAAAAAAAAAAAAA"), "404 Invalid Server Token");
  EXPECT_EQ(said("/abcdef/AAAAAAAAAAAAAAAA"), "404 Link not found");
  EXPECT_EQ(said("/abcdef/AAAAAAAAAAAAAAAA"), "404 Link not found");
  EXPECT_EQ(said("/abcdef/" + std::string(5000, 'a')), "404 Link not found");
  EXPECT_EQ(said(link("Bb11111111111111")), "404 Link not found");  // another scheme
  EXPECT_EQ(said(pixel() + "?src=http://x.test/x.png"), "400 Invalid/missing source image");
  EXPECT_EQ(header(get("/"), "Content-Type"), "text/plain; charset=utf-8");
  get(link());
  const auto found = recorded(0, 1);
  EXPECT_EQ(found.clicks.size() + found.loads.size(), 1U);
}

TEST_P(TrackingTest, OnlyGetIsRecorded) {
  EXPECT_EQ(ask(request(link(), "HEAD")).status, 307);
  EXPECT_EQ(ask(request(pixel(), "HEAD")).status, 200);
  EXPECT_EQ(ask(request(link(), "OPTIONS")).status, 204);
  const auto refused = ask(request(link(), "POST"));
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(header(refused, "Allow"), "GET, HEAD, OPTIONS");
  get(link());
  const auto found = recorded(0, 1);
  EXPECT_EQ(found.clicks.size(), 1U);
  EXPECT_TRUE(found.loads.empty());
}

TEST_P(TrackingTest, LongAgentsAndGarbageDoNotFailAnybody) {
  EXPECT_EQ(get(link(), {{"User-Agent", std::string(4000, 'x') + "\xFF"}, {"X-Forwarded-For", "garbage"}}).status, 307);
  const auto found = recorded(0, 1);
  ASSERT_EQ(found.clicks.size(), 1U);
  EXPECT_EQ(found.clicks[0].user_agent, std::string(255, 'x'));
}

TEST_P(TrackingTest, RecognisesHeaderAndHosts) {
  const std::string_view date = world_.sqlite() ? "0" : "'2026-01-01'";
  world_.run_main(
      fmt::format("INSERT INTO {{main}}`track_domains` (id, uuid, server_id, domain_id, name, created_at, updated_at) "
                  "VALUES (1, 'u', 1, 1, 'click', {0}, {0})",
                  date));
  store_->reload_directory();
  EXPECT_TRUE(tracking().recognises(request("/", "GET", {{"X-Postal-Track-Host", "1"}}), "postal.example.com"));
  EXPECT_FALSE(tracking().recognises(request("/"), "postal.example.com"));
  EXPECT_TRUE(tracking().recognises(request("/"), "Track.example.com"));
  EXPECT_TRUE(tracking().recognises(request("/"), "CLICK.sender.example"));
  EXPECT_FALSE(tracking().recognises(request("/"), "sender.example"));
  auto foreign = request("/", "GET", {{"X-Postal-Track-Host", "1"}});
  foreign.peer = *IpAddress::parse("203.0.113.1");
  EXPECT_TRUE(tracking().recognises(foreign, "x.test"));
  world_.config.profile = config::Profile::Modern;
  EXPECT_FALSE(tracking().recognises(foreign, "x.test"));
}

TEST_P(TrackingTest, HitsOfMachinesAreMarkedAndCounted) {
  add_webhook();
  get(pixel(), {{"Sec-Purpose", "prefetch"}});
  get(link(), {{"User-Agent", "curl/7"}});
  recorded(1, 1);
  EXPECT_EQ(number("SELECT posthaste_bot FROM {message}`loads`"), 1);
  EXPECT_EQ(number("SELECT posthaste_bot FROM {message}`clicks`"), 2);
  EXPECT_TRUE(store_->message(kServer, message_.message_id)->clicked);
  EXPECT_EQ(requests(), 2);
}

TEST_P(TrackingTest, IgnoredMachinesAreInNoFigure) {
  world_.config.tracking.bots = "ignore";
  add_webhook();
  get(pixel(), {{"User-Agent", "GoogleImageProxy"}});
  get(link(), {{"User-Agent", "curl/7"}});
  recorded(1, 1);
  EXPECT_FALSE(store_->message(kServer, message_.message_id)->clicked);
  EXPECT_FALSE(store_->message(kServer, message_.message_id)->loaded);
  EXPECT_EQ(requests(), 0);
}

TEST_P(TrackingTest, WhoFollowsAllLinksAtOnceIsAScanner) {
  for (int i = 0; i < 3; ++i) get(link(fmt::format("burst{}", i)));
  recorded(0, 3);
  EXPECT_EQ(number("SELECT COUNT(*) FROM {message}`clicks` WHERE posthaste_bot = 2"), 1);
}

TEST_P(TrackingTest, WhoClicksAsSoonAsMailIsDeliveredIsAScanner) {
  const auto now = to_unix_seconds(system_now());
  world_.run(kServer, fmt::format("UPDATE {{message}}`messages` SET last_delivery_attempt = {}",
                                  world_.sqlite() ? std::int64_t(now * 1e6) : std::int64_t(now)));
  get(link());
  recorded(0, 1);
  EXPECT_EQ(number("SELECT posthaste_bot FROM {message}`clicks`"), 2);
}

TEST_P(TrackingTest, PrivacyKeepsLess) {
  world_.config.tracking.ip = "truncated";
  world_.config.tracking.user_agent = "family";
  get(link(), {{"X-Forwarded-For", "198.51.100.7"}});
  const auto found = recorded(0, 1);
  ASSERT_EQ(found.clicks.size(), 1U);
  EXPECT_EQ(found.clicks[0].ip_address, "198.51.100.0");
  EXPECT_EQ(found.clicks[0].user_agent, "Firefox");
}

TEST_P(TrackingTest, ModernFoldsRepeatedOpens) {
  world_.config.profile = config::Profile::Modern;
  for (int i = 0; i < 5; ++i) get(pixel());
  get(pixel(), {{"User-Agent", "Another/1"}});
  EXPECT_EQ(recorded(2, 0).loads.size(), 2U);
}

TEST_P(TrackingTest, ALoopDoesNotFillTheTable) {
  for (int i = 0; i < 130; ++i) EXPECT_EQ(get(link()).status, 307);
  std::this_thread::sleep_for(300ms);
  EXPECT_LE(recorded(0, 50).clicks.size(), 110U);  // 50 a second, and the second may have turned
}

TEST_P(TrackingTest, TheMessageMayBeGone) {
  world_.run(kServer, "DELETE FROM {message}`messages`");
  add_webhook();
  EXPECT_EQ(get(link()).status, 307);
  EXPECT_EQ(get(pixel()).status, 200);
  recorded(0, 1);
  EXPECT_EQ(number("SELECT COUNT(*) FROM {message}`clicks`"), 1);
  EXPECT_EQ(requests(), 0);
}

INSTANTIATE_TEST_SUITE_P(Sqlite, TrackingTest, ::testing::Values(sql::Dialect::Sqlite));
INSTANTIATE_TEST_SUITE_P(MariaDb, TrackingTest, ::testing::Values(sql::Dialect::MariaDb));

}  // namespace
}  // namespace posthaste::tracking
