// HTTP/1.1 server: requests and responses as values; parsing by Boost.Beast, out of sight.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/network.h"
#include "base/time.h"
#include "io/stream.h"
#include "io/task.h"

namespace posthaste::io {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;  // upper case
  std::string target;  // as sent
  std::string path;    // percent-decoded path of the target
  std::string query;   // behind `?`, as sent
  HttpHeaders headers;
  std::string body;
  IpAddress peer;  // the socket's peer
  Time received;

  // First header of that name, any case; empty if absent.
  std::string_view header(std::string_view name) const;
  bool has_header(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  HttpHeaders headers;
  std::string body;
  HttpHeaders notes;  // about the request, for its line in the log; never sent

  static HttpResponse text(int status, std::string body);            // text/plain; charset=utf-8
  static HttpResponse json(int status, std::string body);            // application/json; charset=utf-8
  HttpResponse& set(std::string_view name, std::string_view value);  // replaces
};

using HttpHandler = std::function<Task<HttpResponse>(HttpRequest)>;

// Memory that the bodies of many connections share; beyond it requests get 503.
struct HttpBudget {
  std::size_t bytes = 512 * 1024 * 1024;
  std::atomic<std::size_t> held{0};
};

struct HttpLimits {
  std::size_t header_bytes = 64 * 1024;
  std::size_t body_bytes = 64 * 1024 * 1024;
  Duration header_timeout = std::chrono::seconds(30);
  Duration body_timeout = std::chrono::seconds(60);  // without progress
  std::size_t body_rate = 4096;                      // bytes a second, at least, once body_timeout has passed
  Duration keep_alive = std::chrono::seconds(75);
  std::shared_ptr<HttpBudget> budget;  // null: none
};

// Called for a body above limits.body_bytes; what the API answers 413 with. May be empty: plain text.
using HttpTooLarge = std::function<HttpResponse(const HttpRequest& head)>;

// Asked with the head of a request whose body is still to come: an answer ends the request there, and the connection
// with it. Empty, or nullopt: the body is read.
using HttpAdmission = std::function<std::optional<HttpResponse>(const HttpRequest& head)>;

// Serves one connection until it ends: keep-alive, pipelined requests one after the other, `Expect: 100-continue`, HEAD
// without body. Malformed requests get 400, too long headers 431, a body above the limit 413; then the connection is
// closed. An exception from the handler becomes 500 with a request id that is also logged. `stopping` true: answers
// with `Connection: close`.
Task<> serve_http(Stream stream, HttpHandler handler, HttpLimits limits, HttpTooLarge too_large,
                  std::shared_ptr<const std::atomic<bool>> stopping, HttpAdmission admission = {});

// Tells a client that there is no room for it, and ends the connection.
Task<> turn_away_http(Stream stream);

}  // namespace posthaste::io
