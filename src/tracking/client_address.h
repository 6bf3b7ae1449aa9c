// The address of whoever asks, behind any number of trusted proxies (http-api.md section 20). Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/network.h"
#include "io/http.h"

namespace posthaste::tracking {

class TrustedProxies {
 public:
  // Addresses and networks; this machine and fd00::/8 always are.
  explicit TrustedProxies(const std::vector<std::string>& networks);
  bool contains(const IpAddress& ip) const;

 private:
  std::vector<IpNetwork> networks_;
};

// The chain of X-Forwarded-For (or Forwarded), then the peer: the right-most that is no trusted proxy, the left-most if
// all are. An entry that is no address ends the walk: the last good one counts.
IpAddress client_address(const io::HttpRequest& request, const TrustedProxies& proxies);

}  // namespace posthaste::tracking
