// Sends requests to webhooks and HTTP endpoints.
//
// The host is resolved here, its addresses are checked against the policy, and the connection goes to one of them.
// Connections are kept for the next request; redirects are answers. Everything that can go wrong is an answer, too,
// with a code below zero, as Postal has them.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "io/destination.h"
#include "io/http_url.h"
#include "io/proxies.h"
#include "io/resolver.h"
#include "io/task.h"

namespace posthaste::io {

using HttpFields = std::vector<std::pair<std::string, std::string>>;

struct HttpCall {
  std::string url;  // user information in it becomes Basic authorization, its escapes not decoded
  HttpFields headers;
  std::string body;
  std::string method = "POST";
  Duration timeout = std::chrono::seconds(5);          // everything: name, connect, TLS, answer
  Duration connect_timeout = std::chrono::seconds(3);  // within it; TLS included
  std::size_t max_answer = 65536;                      // of the body; the rest is not read
};

// Codes of answers that nobody gave.
namespace http_code {
inline constexpr int kTimeout = -1;     // body `Timed out after 5s`
inline constexpr int kConnection = -2;  // name not found, not connected, cut off; body: what happened
inline constexpr int kTls = -3;         // body `Invalid SSL certificate`
inline constexpr int kRefused = -4;     // the policy; body `Destination '<host>' (<ip>) is not permitted`
}  // namespace http_code

struct HttpAnswer {
  int code = 0;        // the status, or one of http_code
  std::string body;    // decoded (gzip, deflate), any bytes
  HttpFields headers;  // names in lower case
  Duration took{0};
  std::string remote_ip;  // empty: not connected
  std::string cause;      // for logs: the library's text

  bool ok() const { return code >= 200 && code <= 299; }
  const std::string* header(std::string_view lower_case_name) const;
};

class HttpClient {
 public:
  virtual ~HttpClient() = default;
  // From any loop; resumes there.
  virtual Task<HttpAnswer> send(HttpCall call) = 0;
};

struct HttpClientOptions {
  DestinationPolicy destinations;
  Proxies proxies = Proxies::from_environment();
  std::size_t concurrency = 256;  // further requests wait for their turn; the waiting is not part of their time
  std::string hosts_file = "/etc/hosts";
  std::string ca_file;  // empty: SSL_CERT_FILE, or the system's
};

// A client with a thread and connections of its own; what is slow in one does not hold up another. Ends before the
// loops whose coroutines wait for it; what is under way then is answered with kConnection. The resolver outlives it.
std::unique_ptr<HttpClient> make_http_client(Resolver& resolver, HttpClientOptions options);

}  // namespace posthaste::io
