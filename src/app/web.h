// The web server: who may be asked under which host name, and which part answers which path.
#pragma once

#include <memory>
#include <vector>

#include "app/health.h"
#include "app/installation.h"
#include "io/http.h"

namespace posthaste::app {

class WebServer {
 public:
  // Opens the listeners on all loops. Fails when the port cannot be had.
  static Result<std::unique_ptr<WebServer>> open(Installation& installation, Checks checks,
                                                 std::shared_ptr<const std::atomic<bool>> stopping);
  virtual ~WebServer() = default;
  virtual void close() = 0;  // no more connections; open ones end after their request
};

}  // namespace posthaste::app
