#include "tracking/client_address.h"

#include "base/strings.h"

namespace posthaste::tracking {

namespace {

// `1.2.3.4`, `1.2.3.4:80`, `2001:db8::1`, `[2001:db8::1]:80`, in quotes or not.
std::optional<IpAddress> parse_hop(std::string_view text) {
  text = trim(text);
  if (text.size() >= 2 && text.starts_with('"') && text.ends_with('"')) text = text.substr(1, text.size() - 2);
  if (text.starts_with('[')) return IpAddress::parse(text.substr(1, text.find(']') - 1));
  if (std::ranges::count(text, ':') == 1) text = text.substr(0, text.find(':'));
  return IpAddress::parse(text);
}

// The value of `for=` in an element of Forwarded.
std::string_view forwarded_for(std::string_view element) {
  for (const std::string_view pair : split(element, ';'))
    if (const auto field = trim(pair); istarts_with(field, "for=")) return field.substr(4);
  return {};
}

std::string joined(const io::HttpRequest& request, std::string_view name) {
  std::string all;
  for (const auto& [key, value] : request.headers) {
    if (!iequals(key, name)) continue;
    if (!all.empty()) all += ',';
    all += value;
  }
  return all;
}

}  // namespace

TrustedProxies::TrustedProxies(const std::vector<std::string>& networks) {
  for (const std::string_view always : {"127.0.0.1", "::1", "fd00::/8"}) networks_.push_back(*IpNetwork::parse(always));
  for (const std::string& text : networks)
    if (const auto network = IpNetwork::parse(text)) networks_.push_back(*network);
}

bool TrustedProxies::contains(const IpAddress& ip) const {
  return std::ranges::any_of(networks_, [&](const IpNetwork& network) { return network.contains(ip); });
}

IpAddress client_address(const io::HttpRequest& request, const TrustedProxies& proxies) {
  IpAddress client = request.peer;
  const bool plain = request.has_header("X-Forwarded-For");
  const std::string chain = joined(request, plain ? "X-Forwarded-For" : "Forwarded");
  const auto hops = split(chain, ',');
  for (auto hop = hops.rbegin(); hop != hops.rend() && proxies.contains(client); ++hop) {
    const auto ip = parse_hop(plain ? *hop : forwarded_for(*hop));
    if (!ip) break;
    client = *ip;
  }
  return client;
}

}  // namespace posthaste::tracking
