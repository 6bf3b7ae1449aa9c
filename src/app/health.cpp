#include "app/health.h"

#include <unistd.h>

#include "base/json.h"
#include "base/log.h"

namespace posthaste::app {

namespace {

const io::HttpLimits kLimits{.header_bytes = 16 * 1024, .body_bytes = 64 * 1024};

std::string host_name() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 && name[0] ? name : "unknown-hostname";
}

io::HttpResponse plain(int status, std::string body, std::string_view type = "text/plain") {
  io::HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.set("Content-Type", type).set("Cache-Control", "no-store");
  return response;
}

io::HttpResponse answer(const HealthOptions& options, const io::HttpRequest& request) {
  if (request.path == "/health") return health_answer();
  if (request.path == "/ready") return ready_answer(options.checks);
  if (request.path == "/metrics")
    return plain(200, metrics::render(options.parts), "text/plain; version=0.0.4; charset=utf-8");
  if (request.path == "/")
    return plain(200, fmt::format("{} (pid: {}, host: {})", options.name, getpid(), host_name()));
  return plain(404, "Not Found");
}

io::Task<io::HttpResponse> handle(std::shared_ptr<const HealthOptions> options, io::HttpRequest request) {
  co_return answer(*options, request);
}

}  // namespace

io::HttpResponse health_answer() { return plain(200, "OK"); }

io::HttpResponse ready_answer(const Checks& checks) {
  bool ready = true;
  JsonWriter json;
  json.begin_object().key("checks").begin_object();
  for (const auto& [name, ok] : checks()) {
    json.field(name, ok ? "ok" : "failed");
    ready = ready && ok;
  }
  json.end_object().field("status", ready ? "ok" : "failed").end_object();
  return plain(ready ? 200 : 503, json.take(), "application/json; charset=utf-8");
}

std::unique_ptr<io::Listener> open_health_server(io::Loop& loop, HealthOptions options,
                                                 std::shared_ptr<const std::atomic<bool>> stopping) {
  const auto shared = std::make_shared<const HealthOptions>(std::move(options));
  io::HttpHandler handler = [shared](io::HttpRequest request) { return handle(shared, std::move(request)); };
  auto serve = [handler, stopping](io::Stream stream) {
    return io::serve_http(std::move(stream), handler, kLimits, {}, stopping);
  };
  auto listener = io::Listener::open(loop, shared->address, shared->port, false, serve);
  if (!listener) {
    log::warn("health-server",
              fmt::format("health server port ({}:{}) is already in use, not starting health server", shared->address,
                          shared->port),
              {{"error", listener.error().cause}});
    return nullptr;
  }
  log::info("health-server", fmt::format("started health server on port {}", (*listener)->port()));
  return std::move(*listener);
}

}  // namespace posthaste::app
