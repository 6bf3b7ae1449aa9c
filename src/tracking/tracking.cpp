#include "tracking/tracking.h"

#include "base/log.h"
#include "base/strings.h"
#include "tracking/machines.h"

namespace posthaste::tracking {

namespace {

constexpr std::size_t kLongestToken = 64;
constexpr std::size_t kLongestAgent = 255;

// One transparent pixel, 68 bytes.
const std::string& pixel() {
  static const std::string bytes = base64_decode_lenient(
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR42mNgAAIAAAUAAen63NgAAAAASUVORK5CYII=");
  return bytes;
}

io::HttpResponse with_headers(io::HttpResponse response) {
  response.set("Cache-Control", "no-store, private");
  response.set("Referrer-Policy", "no-referrer");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("X-Robots-Tag", "noindex");
  return response;
}

io::HttpResponse text(int status, std::string body) {
  return with_headers(io::HttpResponse::text(status, std::move(body)));
}

io::HttpResponse pixel_answer() {
  io::HttpResponse response;
  response.set("Content-Type", "image/png");
  response.body = pixel();
  return with_headers(std::move(response));
}

io::HttpResponse unavailable() {
  auto response = text(503, "This link cannot be followed at the moment. Please try again in a few seconds.");
  response.set("Retry-After", "5");
  return response;
}

io::HttpResponse other_method(const std::string& method) {
  auto response =
      method == "OPTIONS" ? with_headers(io::HttpResponse{204, {}, {}, {}}) : text(405, "Method Not Allowed");
  response.set("Allow", "GET, HEAD, OPTIONS");
  return response;
}

}  // namespace

Tracking::Tracking(store::Store& store, const config::Config& config, io::Pool& pool)
    : store_(store), config_(config), pool_(pool), proxies_(config.postal.trusted_proxies), recorder_(store, config) {}

bool Tracking::recognises(const io::HttpRequest& request, std::string_view host) const {
  const bool believed = config_.profile == config::Profile::Postal || proxies_.contains(request.peer);
  if (believed && says_tracking(request.header("X-Postal-Track-Host"))) return true;
  if (host.empty() || iequals(host, config_.postal.web_hostname)) return false;
  return iequals(host, config_.dns.track_domain) || store_.directory()->track_domain_by_host(host) != nullptr;
}

std::optional<io::HttpResponse> Tracking::refuse(const io::HttpRequest& head) const {
  if (head.method == "GET" || head.method == "HEAD") return std::nullopt;
  return other_method(head.method);
}

io::Task<io::HttpResponse> Tracking::handle(io::HttpRequest request) {
  if (auto refused = refuse(request)) co_return std::move(*refused);
  const Asked asked = read_path(request.path);
  if (asked.what == Asked::What::Greeting) co_return text(200, "Hello.");
  if (asked.what == Asked::What::Robots) co_return text(200, "User-agent: *\nDisallow: /\n");
  const auto directory = store_.directory();
  const store::Server* server = directory->server_by_token(asked.server);
  if (!server) co_return text(404, "Invalid Server Token");
  const store::Id server_id = server->id;
  if (asked.what == Asked::What::Pixel) co_return open(request, server_id, asked.token);
  std::string token(asked.token);
  io::HttpResponse response = co_await follow(std::move(request), server_id, std::move(token));
  co_return response;
}

io::HttpResponse Tracking::open(const io::HttpRequest& request, store::Id server_id, std::string_view token) {
  if (has_parameter(request.query, "src")) return text(400, "Invalid/missing source image");
  if (request.method == "GET" && token.size() <= kLongestToken) recorder_.opened(server_id, token, visit_of(request));
  return pixel_answer();
}

io::Task<io::HttpResponse> Tracking::follow(io::HttpRequest request, store::Id server_id, std::string token) {
  if (token.size() > kLongestToken) co_return text(404, "Link not found");
  auto known = links_.find(server_id, token, request.received);
  if (!known) {
    // While the database is away nobody waits for it.
    if (!store_.healthy()) co_return unavailable();
    std::string failure;
    try {
      auto look = [&store = store_, server_id, token] { return store::find_link(store, server_id, token); };
      auto found = co_await pool_.run(std::move(look));
      known = found ? std::make_shared<const store::Link>(std::move(*found)) : LinkCache::LinkPtr();
      links_.put(server_id, token, *known, request.received);
    } catch (const std::exception& error) {
      failure = error.what();
    }
    if (!failure.empty()) {
      log::warn("tracking", "a link cannot be looked up", {{"server", server_id}, {"error", failure}});
      co_return unavailable();
    }
  }
  if (!*known) co_return text(404, "Link not found");
  co_return redirect(request, server_id, **known);
}

io::HttpResponse Tracking::redirect(const io::HttpRequest& request, store::Id server_id, const store::Link& link) {
  const std::string location = location_of(link.url);
  if (location.empty()) return text(404, "Link not found");
  if (request.method == "GET") recorder_.clicked(server_id, link, visit_of(request));
  auto response = text(307, "Redirected to: " + location);
  response.set("Location", location);
  return response;
}

Visit Tracking::visit_of(const io::HttpRequest& request) const {
  Visit visit;
  visit.ip = client_address(request, proxies_);
  const std::string agent = clean_utf8(request.header("User-Agent"));
  visit.user_agent = utf8_prefix(agent, kLongestAgent);
  visit.hit_class = classify(request, visit.ip);
  visit.when = request.received;
  return visit;
}

}  // namespace posthaste::tracking
