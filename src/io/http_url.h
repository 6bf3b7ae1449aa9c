// The URL of a webhook or HTTP endpoint, taken apart.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace posthaste::io {

struct HttpUrl {
  bool https = false;
  std::string host;  // lower case, A-labels; IPv6 without brackets
  std::uint16_t port = 80;
  bool port_given = false;
  std::string user_info;  // `user:password` as written, escapes and all; empty: none
  std::string target;     // path and query as written, `/` if empty; without fragment

  std::string authority() const;  // `example.com`, `example.com:8080`, `[::1]:8080`
  std::string site() const;       // `https://example.com:443`: one of these is one endpoint
  std::string text() const;       // the whole without user information
};

// As Postal: every scheme but https, and none, means http. Nothing when there is no host, or no host that can be one.
std::optional<HttpUrl> parse_http_url(std::string_view url);

// For logs and details: the text without what stands before the @.
std::string without_user_info(std::string_view url);

}  // namespace posthaste::io
