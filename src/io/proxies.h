// The proxy that the environment names for outgoing HTTP requests: http_proxy, https_proxy, no_proxy.
#pragma once

#include <optional>
#include <string>

#include "io/http_url.h"

namespace posthaste::io {

struct Proxies {
  std::string http, https, exceptions;  // URLs; names separated by commas

  static Proxies from_environment();
  // Nothing: straight to the host. What is on this machine is never asked for through a proxy.
  std::optional<std::string> for_url(const HttpUrl& url) const;
};

}  // namespace posthaste::io
