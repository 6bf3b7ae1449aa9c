// The small HTTP servers beside the roles: /health, /ready and /metrics (admin-and-config.md section 3).
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "io/http.h"
#include "io/stream.h"

namespace posthaste::app {

// What is asked for readiness: `database`, `listeners`, ...; true: ok.
using Checks = std::function<std::vector<std::pair<std::string, bool>>()>;

io::HttpResponse health_answer();
io::HttpResponse ready_answer(const Checks& checks);

struct HealthOptions {
  std::string name;  // `worker`, `smtp-server`, `web-server`
  std::string address;
  std::uint16_t port = 0;
  std::vector<metrics::Part> parts;
  Checks checks;
};

// A port in use is logged at warn and the process goes on without: null.
std::unique_ptr<io::Listener> open_health_server(io::Loop& loop, HealthOptions options,
                                                 std::shared_ptr<const std::atomic<bool>> stopping);

}  // namespace posthaste::app
