#include "io/http_client.h"

#include <fmt/format.h>

#include <cstdlib>
#include <mutex>
#include <set>

#include "base/log.h"
#include "base/strings.h"
#include "io/curl.h"
#include "io/hosts_file.h"
#include "io/loop.h"
#include "io/oneshot.h"

namespace posthaste::io {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kMostAddresses = 16;
constexpr std::size_t kMostNotedHosts = 1000;

HttpAnswer no_answer(int code, std::string body) { return HttpAnswer{.code = code, .body = std::move(body)}; }

std::string system_roots() {
  const char* file = std::getenv("SSL_CERT_FILE");
  return file ? file : "";
}

using Addresses = std::vector<IpAddress>;

Task<> look_up_a(Resolver& resolver, std::string host, std::move_only_function<void(Addresses)> done) {
  auto answer = co_await resolver.a(std::move(host));
  done(std::move(answer.records));
}

Task<> look_up_aaaa(Resolver& resolver, std::string host, std::move_only_function<void(Addresses)> done) {
  auto answer = co_await resolver.aaaa(std::move(host));
  done(std::move(answer.records));
}

class CurlClient final : public HttpClient {
 public:
  CurlClient(Resolver& resolver, HttpClientOptions options)
      : resolver_(resolver),
        options_(std::move(options)),
        hosts_(options_.hosts_file),
        curl_(std::max<std::size_t>(1, options_.concurrency)) {
    if (options_.ca_file.empty()) options_.ca_file = system_roots();
  }

  Task<HttpAnswer> send(HttpCall call) override;

 private:
  Task<Addresses> addresses_of(std::string host);
  std::optional<HttpAnswer> refusal(const HttpUrl& url, const Addresses& addresses);
  void note_private(const HttpUrl& url, const Addresses& addresses);

  Resolver& resolver_;
  HttpClientOptions options_;
  HostsFile hosts_;
  std::mutex mutex_;
  std::set<std::string> noted_;  // hosts in private networks that the log has named
  Curl curl_;                    // last: its thread ends first
};

Task<HttpAnswer> CurlClient::send(HttpCall call) {
  const auto start = Steady::now();
  auto url = parse_http_url(call.url);
  if (!url) co_return no_answer(http_code::kRefused, "No host was given for the request");

  const auto proxy = options_.proxies.for_url(*url);
  std::string host = url->host;
  Addresses addresses = co_await addresses_of(std::move(host));
  const auto spent = std::chrono::duration_cast<Duration>(Steady::now() - start);
  if (spent >= call.timeout) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(call.timeout).count();
    HttpAnswer late = no_answer(http_code::kTimeout, fmt::format("Timed out after {}s", seconds));
    late.took = spent;
    co_return late;
  }
  if (addresses.empty() && !proxy)
    co_return no_answer(http_code::kConnection, fmt::format("Could not resolve '{}' to any IP address", url->host));
  if (auto refused = refusal(*url, addresses)) co_return std::move(*refused);
  if (addresses.size() > kMostAddresses) addresses.resize(kMostAddresses);

  OneShot<HttpAnswer> answered;
  auto transfer = std::make_unique<Transfer>();
  transfer->left = call.timeout - spent;
  transfer->call = std::move(call);
  transfer->url = std::move(*url);
  transfer->addresses = std::move(addresses);
  transfer->proxy = proxy;
  transfer->ca_file = options_.ca_file;
  transfer->done = answered.sender();
  curl_.start(std::move(transfer));
  co_return co_await answered;
}

// IPv4 first, as Postal.
Task<Addresses> CurlClient::addresses_of(std::string host) {
  if (const auto literal = IpAddress::parse(host)) co_return Addresses{*literal};
  Addresses known = hosts_.find(host);
  if (known.empty()) {
    OneShot<Addresses> v4, v6;
    Loop::current()->spawn(look_up_a(resolver_, host, v4.sender()), "http host");
    Loop::current()->spawn(look_up_aaaa(resolver_, host, v6.sender()), "http host");
    known = co_await v4;
    Addresses more = co_await v6;
    known.insert(known.end(), more.begin(), more.end());
  }
  std::ranges::stable_partition(known, [](const IpAddress& address) { return !address.v6; });
  co_return known;
}

std::optional<HttpAnswer> CurlClient::refusal(const HttpUrl& url, const Addresses& addresses) {
  const auto refused = refused_address(options_.destinations, url.host, url.port, addresses);
  if (!refused) {
    note_private(url, addresses);
    return std::nullopt;
  }
  return no_answer(http_code::kRefused,
                   fmt::format("Destination '{}' ({}) is not permitted", url.host, refused->text()));
}

void CurlClient::note_private(const HttpUrl& url, const Addresses& addresses) {
  const auto address = std::ranges::find(addresses, Reach::Private, reach_of);
  if (address == addresses.end()) return;
  {
    std::lock_guard lock(mutex_);
    if (noted_.size() >= kMostNotedHosts || !noted_.insert(url.host).second) return;
  }
  log::info("http", "requests go to a host in a private network", {{"host", url.host}, {"address", address->text()}});
}

}  // namespace

const std::string* HttpAnswer::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return &value;
  }
  return nullptr;
}

std::unique_ptr<HttpClient> make_http_client(Resolver& resolver, HttpClientOptions options) {
  return std::make_unique<CurlClient>(resolver, std::move(options));
}

}  // namespace posthaste::io
