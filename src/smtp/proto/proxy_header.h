// The PROXY protocol's header, versions 1 and 2, that a load balancer sends ahead of the client's bytes
// (smtp-server.md 3.3).
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/network.h"

namespace posthaste::smtp::proto {

struct ProxyHeader {
  enum class State {
    More,    // incomplete
    Done,    // `used` bytes are the header
    Error,   // not a header, or broken: `502 Proxy Error` and close
    Hostile  // version 2 that is broken: close without a word
  };
  State state = State::More;
  std::size_t used = 0;
  std::optional<IpAddress> client;  // none: keep the peer's address (UNKNOWN, LOCAL)
  bool tls = false;                 // the client spoke TLS to the proxy (PP2_TYPE_SSL)
};

// Looks at all bytes received so far.
ProxyHeader parse_proxy_header(std::string_view bytes);

}  // namespace posthaste::smtp::proto
