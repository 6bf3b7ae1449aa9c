// libcurl's multi interface on a thread of its own; part of the HTTP client.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/network.h"
#include "io/http_client.h"

namespace posthaste::io {

struct Transfer {
  HttpCall call;
  HttpUrl url;
  std::vector<IpAddress> addresses;  // where to connect to, checked; IPv4 first. Empty: the proxy knows
  std::optional<std::string> proxy;
  std::string ca_file;
  Duration left{0};  // of the call's time
  std::move_only_function<void(HttpAnswer)> done;
};

class Curl {
 public:
  explicit Curl(std::size_t concurrency);
  ~Curl();  // answers what is under way with kConnection

  // Any thread. `done` is called once, from the thread.
  void start(std::unique_ptr<Transfer> transfer);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace posthaste::io
