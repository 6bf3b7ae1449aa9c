#include "app/web.h"

#include "api/v1/api.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/strings.h"
#include "io/endpoint_text.h"
#include "tracking/tracking.h"

namespace posthaste::app {

namespace {

// The host of a Host header without its port: `[::1]:5000` and `a.example:5000`.
std::string_view host_only(std::string_view host) {
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

// The last element of a list header, as a chain of proxies appends to it.
std::string_view last_element(std::string_view list) { return trim(list.substr(list.rfind(',') + 1)); }

// One of the connections that are served at the same time.
class Seat {
 public:
  explicit Seat(std::shared_ptr<std::atomic<std::size_t>> taken) : taken_(std::move(taken)), number_(++*taken_) {}
  ~Seat() { --*taken_; }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  std::size_t number() const { return number_; }

 private:
  const std::shared_ptr<std::atomic<std::size_t>> taken_;
  const std::size_t number_;
};

constexpr std::string_view kJwks = "/.well-known/jwks.json";

class Web final : public WebServer {
 public:
  Web(Installation& installation, Checks checks)
      : installation_(installation),
        checks_(std::move(checks)),
        api_(*installation.intake, installation.store, installation.config, installation.pool),
        tracking_(installation.store, installation.config, installation.pool) {}

  Result<> listen(std::shared_ptr<const std::atomic<bool>> stopping) {
    const auto& web = installation_.config.web_server;
    io::HttpLimits limits;
    limits.body_bytes = std::size_t(installation_.config.api.max_body_size);
    limits.budget = std::make_shared<io::HttpBudget>();
    io::HttpHandler handler = [this](io::HttpRequest request) { return handle(this, std::move(request)); };
    io::HttpTooLarge too_large = [this](const io::HttpRequest& head) { return api_.too_large(head); };
    io::HttpAdmission admission = [this](const io::HttpRequest& head) { return refuse(head); };
    for (std::size_t i = 0; i < installation_.runtime.size(); ++i) {
      auto serve = [this, handler, too_large, limits, stopping, admission](io::Stream stream) {
        return serve_one(this, std::move(stream), handler, limits, too_large, stopping, admission);
      };
      auto listener = io::Listener::open(installation_.runtime.at(i), web.default_bind_address,
                                         std::uint16_t(web.default_port), true, serve);
      if (!listener) return std::unexpected(std::move(listener.error()));
      listeners_.push_back(std::move(*listener));
    }
    if (const auto ip = IpAddress::parse(web.default_bind_address))
      log::info("web-server", "Listening on " + io::to_text(io::Endpoint{*ip, std::uint16_t(web.default_port)}));
    return {};
  }

  void close() override {
    for (const auto& listener : listeners_) listener->close();
  }

 private:
  // What is told of a request when it has been answered.
  struct Arrival {
    explicit Arrival(const io::HttpRequest& request)
        : method(request.method), path(request.path), peer(request.peer.text()), id(request.header("X-Request-Id")) {
      if (!acceptable_id(id)) id = random_uuid();
    }
    const Time started = system_now();
    const std::string method, path, peer;
    std::string id;
  };

  static void answered(const Arrival& arrival, io::HttpResponse& response) {
    response.set("X-Request-Id", arrival.id);
    if (arrival.path == "/health" || arrival.path == "/ready") return;
    const double seconds = to_unix_seconds(system_now()) - to_unix_seconds(arrival.started);
    log::Fields fields{{"event", "request"},
                       {"request_id", arrival.id},
                       {"ip_address", arrival.peer},
                       {"status", response.status},
                       {"seconds", seconds}};
    for (const auto& [name, value] : response.notes) fields.emplace_back(name, value);
    const std::string_view path = known(arrival.path) ? std::string_view(arrival.path) : "unknown path";
    log::info("web-server", fmt::format("{} {} ({})", arrival.method, path, response.status), fields);
  }

  static io::Task<> serve_one(Web* self, io::Stream stream, io::HttpHandler handler, io::HttpLimits limits,
                              io::HttpTooLarge too_large, std::shared_ptr<const std::atomic<bool>> stopping,
                              io::HttpAdmission admission) {
    const Seat seat(self->seats_);
    if (seat.number() > self->max_connections()) {
      self->turned_away_.add();
      auto task = io::turn_away_http(std::move(stream));
      co_return co_await std::move(task);
    }
    auto task = io::serve_http(std::move(stream), std::move(handler), limits, std::move(too_large), std::move(stopping),
                               std::move(admission));
    co_await std::move(task);
  }

  static io::Task<io::HttpResponse> handle(Web* self, io::HttpRequest request) {
    const Arrival arrival(request);
    std::erase_if(request.headers, [](const auto& header) { return iequals(header.first, "X-Request-Id"); });
    request.headers.emplace_back("X-Request-Id", arrival.id);
    io::HttpResponse response = co_await self->dispatch(std::move(request));
    answered(arrival, response);
    co_return response;
  }

  // Whoever may not call anything here is told so before he sends a body.
  std::optional<io::HttpResponse> refuse(const io::HttpRequest& head) {
    const Arrival arrival(head);
    auto response = for_tracking(head) ? tracking_.refuse(head) : answer_without_body(head);
    if (!response && !for_tracking(head)) response = api_.refuse(head);
    if (response) answered(arrival, *response);
    return response;
  }

  // The answer to what is no call of the API; nullopt: it is one.
  std::optional<io::HttpResponse> answer_without_body(const io::HttpRequest& request) {
    if (request.path == "/health") return health_answer();
    if (request.path == "/ready") return ready_answer(checks_);
    const bool api = request.path.starts_with("/api/");
    if (!host_allowed(request) && !(api && request.has_header("X-Server-API-Key"))) return wrong_host(request);
    if (request.path == kJwks) return jwks(request);
    if (!request.path.starts_with("/api/v1/")) return not_found(request);
    return std::nullopt;
  }

  io::Task<io::HttpResponse> dispatch(io::HttpRequest request) {
    if (for_tracking(request)) {
      io::HttpResponse response = co_await tracking_.handle(std::move(request));
      co_return response;
    }
    if (auto answer = answer_without_body(request)) co_return std::move(*answer);
    io::HttpResponse response = co_await api_.handle(std::move(request));
    co_return response;
  }

  // The key that signs requests to webhooks and HTTP endpoints.
  io::HttpResponse jwks(const io::HttpRequest& request) const {
    const auto* signer = installation_.request_signer;
    if (!signer || (request.method != "GET" && request.method != "HEAD")) return not_found(request);
    io::HttpResponse response = io::HttpResponse::json(200, signer->jwks());
    response.set("Cache-Control", "public, max-age=3600");
    return response;
  }

  bool for_tracking(const io::HttpRequest& request) const {
    return request.path != "/health" && request.path != "/ready" && tracking_.recognises(request, host_of(request));
  }

  static std::string_view host_of(const io::HttpRequest& request) {
    std::string_view host = request.header("Host");
    if (request.has_header("X-Forwarded-Host")) host = last_element(request.header("X-Forwarded-Host"));
    return host_only(host);
  }

  bool host_allowed(const io::HttpRequest& request) const {
    const std::string_view host = host_of(request);
    const auto& config = installation_.config;
    if (iequals(host, host_only(config.postal.web_hostname))) return true;
    return std::ranges::any_of(config.web_server.allowed_hosts,
                               [&](const auto& allowed) { return allowed == "*" || iequals(host, allowed); });
  }

  // Says what to do to whoever set up the client, the proxy or this server.
  io::HttpResponse wrong_host(const io::HttpRequest& request) const {
    const bool forwarded = request.has_header("X-Forwarded-Host");
    const std::string_view header = forwarded ? "X-Forwarded-Host" : "Host";
    const std::string host = printable(forwarded ? last_element(request.header(header)) : request.header(header));
    io::HttpResponse response = io::HttpResponse::text(
        403, fmt::format("This server does not answer requests for the host \"{}\" ({}).\n"
                         "Use its own name, {} (postal.web_hostname), or add this one to web_server.allowed_hosts in "
                         "the configuration and restart. Requests to /api/ with the header X-Server-API-Key are "
                         "answered under any name.\n",
                         host, header, installation_.config.postal.web_hostname));
    response.notes = {{"code", "HostNotAllowed"}, {"host", host}};
    return response;
  }

  static std::string printable(std::string_view text) {
    std::string out(text.substr(0, 100));
    std::ranges::replace_if(out, [](unsigned char c) { return c < 0x20 || c >= 0x7F; }, '?');
    return out;
  }

  static bool acceptable_id(std::string_view id) {
    return !id.empty() && id.size() <= 64 && std::ranges::all_of(id, [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
    });
  }

  // Only paths that we know reach the log: a mistyped one may hold a secret.
  static bool known(std::string_view path) {
    return path == kJwks || (path.starts_with("/api/v1/") && path.size() < 64);
  }

  static io::HttpResponse not_found(const io::HttpRequest& request) {
    if (istarts_with(trim(request.header("Accept")), "application/json"))
      return io::HttpResponse::json(404, R"({"status":404,"error":"Not Found"})");
    return io::HttpResponse::text(404, "Not Found");
  }

  std::size_t max_connections() const { return std::size_t(installation_.config.web_server.max_connections); }

  Installation& installation_;
  Checks checks_;
  std::shared_ptr<std::atomic<std::size_t>> seats_ = std::make_shared<std::atomic<std::size_t>>(0);
  metrics::Counter turned_away_{metrics::Part::Web, "posthaste_http_connections_refused_total",
                                "Connections that found web_server.max_connections in use"};
  api::v1::Api api_;
  tracking::Tracking tracking_;
  std::vector<std::unique_ptr<io::Listener>> listeners_;
};

}  // namespace

Result<std::unique_ptr<WebServer>> WebServer::open(Installation& installation, Checks checks,
                                                   std::shared_ptr<const std::atomic<bool>> stopping) {
  auto web = std::make_unique<Web>(installation, std::move(checks));
  if (auto listening = web->listen(std::move(stopping)); !listening)
    return std::unexpected(std::move(listening.error()));
  return web;
}

}  // namespace posthaste::app
