// Who calls (http-api.md section 3).
#pragma once

#include <expected>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/v1/answer.h"
#include "base/network.h"
#include "io/http.h"
#include "store/directory.h"

namespace posthaste::api::v1 {

// Wrong keys by address: after kFailures within a minute an address gets no more answers to wrong keys, so that keys
// cannot be tried out. Right keys from the same address are not affected. Bounded; from any thread.
class FailureLimit {
 public:
  static constexpr int kFailures = 30;
  static constexpr Duration kWindow = std::chrono::seconds(60);

  // Counts a failure. Seconds to wait when there were too many, 0 otherwise.
  int count(const IpAddress& client, Time now);

 private:
  struct Count {
    Time since;
    int failures = 0;
  };
  static constexpr std::size_t kMaxAddresses = 10000;

  std::mutex mutex_;
  std::unordered_map<std::string, Count> counts_;
};

struct Caller {
  const store::Server* server;
  const store::Credential* credential;
};
std::expected<Caller, Answer> authenticate(const store::Directory& directory, const io::HttpRequest& request,
                                           const IpAddress& client, FailureLimit& failures, Time now);

// The address that a chain of trusted proxies reports (admin-and-config.md 1.9): the last of X-Forwarded-For that is
// not trusted itself. Loopback and fc00::/7 are always trusted.
IpAddress client_address(const io::HttpRequest& request, const std::vector<IpNetwork>& trusted);

}  // namespace posthaste::api::v1
