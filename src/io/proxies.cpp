#include "io/proxies.h"

#include <cstdlib>

#include "base/network.h"
#include "base/strings.h"

namespace posthaste::io {

namespace {

std::string variable(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const char* value = std::getenv(name); value && *value) return value;
  }
  return {};
}

// `example.com` and `.example.com` stand for the domain and what is below; `10.0.0.0/8` for a network; `*` for all.
bool matches(std::string_view entry, const HttpUrl& url) {
  if (entry == "*") return true;
  if (const auto network = IpNetwork::parse(entry)) {
    const auto ip = IpAddress::parse(url.host);
    return ip && network->contains(*ip);
  }
  if (const auto colon = entry.rfind(':'); colon != std::string_view::npos) {
    if (parse_int(entry.substr(colon + 1)) != url.port) return false;
    entry = entry.substr(0, colon);
  }
  if (entry.starts_with('.')) entry.remove_prefix(1);
  if (entry.empty() || url.host.size() < entry.size()) return false;
  if (iequals(entry, url.host)) return true;
  const auto start = url.host.size() - entry.size();
  return start > 0 && url.host[start - 1] == '.' && iequals(std::string_view(url.host).substr(start), entry);
}

bool on_this_machine(const HttpUrl& url) {
  const auto ip = IpAddress::parse(url.host);
  return url.host == "localhost" || (ip && ip->loopback());
}

}  // namespace

// HTTP_PROXY in capitals is not read: a CGI server sets it from a request's header.
Proxies Proxies::from_environment() {
  return {variable({"http_proxy"}), variable({"https_proxy", "HTTPS_PROXY", "http_proxy"}),
          variable({"no_proxy", "NO_PROXY"})};
}

std::optional<std::string> Proxies::for_url(const HttpUrl& url) const {
  const std::string& proxy = url.https ? https : http;
  if (proxy.empty() || on_this_machine(url)) return std::nullopt;
  for (const auto entry : split(exceptions, ',')) {
    if (matches(trim(entry), url)) return std::nullopt;
  }
  return proxy;
}

}  // namespace posthaste::io
