#include "io/http_url.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/network.h"
#include "base/strings.h"

namespace posthaste::io {

namespace {

std::string shown_host(std::string_view host) {
  return host.contains(':') ? fmt::format("[{}]", host) : std::string(host);
}

struct Parts {
  std::string_view scheme, authority, rest;
};

// `scheme://authority/rest`; what has no `//` has no authority.
Parts split_url(std::string_view url) {
  Parts parts;
  const auto colon = url.find("://");
  if (colon == std::string_view::npos) return {{}, {}, url};
  parts.scheme = url.substr(0, colon);
  url.remove_prefix(colon + 3);
  const auto end = std::min(url.find_first_of("/?#"), url.size());
  parts.authority = url.substr(0, end);
  parts.rest = url.substr(end);
  return parts;
}

bool take_port(HttpUrl& url, std::string_view text) {
  if (text.empty()) return true;
  const auto port = parse_int(text);
  if (!port || *port < 1 || *port > 65535) return false;
  url.port = static_cast<std::uint16_t>(*port);
  url.port_given = true;
  return true;
}

bool take_host(HttpUrl& url, std::string_view host) {
  if (IpAddress::parse(host)) {
    url.host = to_lower(host);
    return true;
  }
  auto ascii = to_ascii_domain(host);
  if (!ascii || ascii->empty()) return false;
  // No other characters: libcurl would decode `%41` to a name whose addresses nobody has checked.
  if (!std::ranges::all_of(*ascii, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
               c == '.';
      }))
    return false;
  url.host = to_lower(*ascii);
  return true;
}

bool take_host_and_port(HttpUrl& url, std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos || !IpAddress::parse(text.substr(1, end - 1))) return false;
    const auto rest = text.substr(end + 1);
    if (!rest.empty() && rest[0] != ':') return false;
    return take_host(url, text.substr(1, end - 1)) && take_port(url, rest.empty() ? rest : rest.substr(1));
  }
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return take_host(url, text);
  return take_host(url, text.substr(0, colon)) && take_port(url, text.substr(colon + 1));
}

std::string target_of(std::string_view rest) {
  rest = rest.substr(0, rest.find('#'));
  return rest.starts_with('/') ? std::string(rest) : "/" + std::string(rest);
}

}  // namespace

std::string HttpUrl::authority() const {
  return port_given ? fmt::format("{}:{}", shown_host(host), port) : shown_host(host);
}

std::string HttpUrl::site() const {
  return fmt::format("{}://{}:{}", https ? "https" : "http", shown_host(host), port);
}

std::string HttpUrl::text() const { return fmt::format("{}://{}{}", https ? "https" : "http", authority(), target); }

std::optional<HttpUrl> parse_http_url(std::string_view text) {
  const Parts parts = split_url(trim(text));
  HttpUrl url;
  url.https = iequals(parts.scheme, "https");
  url.port = url.https ? 443 : 80;
  auto host = parts.authority;
  if (const auto at = host.rfind('@'); at != std::string_view::npos) {
    url.user_info = host.substr(0, at);
    host.remove_prefix(at + 1);
  }
  if (host.empty() || !take_host_and_port(url, host)) return std::nullopt;
  url.target = target_of(parts.rest);
  return url;
}

std::string without_user_info(std::string_view url) {
  const Parts parts = split_url(url);
  const auto at = parts.authority.rfind('@');
  if (at == std::string_view::npos) return std::string(url);
  return fmt::format("{}://{}{}", parts.scheme, parts.authority.substr(at + 1), parts.rest);
}

}  // namespace posthaste::io
