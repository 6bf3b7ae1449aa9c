#include "io/destination.h"

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace posthaste::io {

namespace {

// http-api.md 16: what Postal 3.3.7 refuses, less what is forbidden to everybody.
constexpr std::array<std::string_view, 9> kPrivate = {"10.0.0.0/8",    "100.64.0.0/10", "127.0.0.0/8",
                                                      "172.16.0.0/12", "192.0.0.0/24",  "192.168.0.0/16",
                                                      "198.18.0.0/15", "240.0.0.0/4",   "fc00::/7"};
constexpr std::array<std::string_view, 7> kForbidden = {"0.0.0.0/8", "169.254.0.0/16",    "224.0.0.0/4", "::/128",
                                                        "fe80::/10", "fd00:ec2::254/128", "ff00::/8"};
// Where an IPv4 address is written inside of an IPv6 one.
struct Embedding {
  std::string_view network;
  std::size_t offset;
};
constexpr std::array<Embedding, 3> kEmbeddings = {{{"::ffff:0:0/96", 12}, {"64:ff9b::/96", 12}, {"2002::/16", 2}}};

std::vector<IpNetwork> networks_of(std::span<const std::string_view> texts) {
  std::vector<IpNetwork> networks;
  for (const auto text : texts) networks.push_back(*IpNetwork::parse(text));
  return networks;
}

bool in_any(const std::vector<IpNetwork>& networks, const IpAddress& address) {
  return std::ranges::any_of(networks, [&](const IpNetwork& network) { return network.contains(address); });
}

bool has_prefix(const IpAddress& address, const Embedding& embedding) {
  static const std::array<std::uint8_t, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (embedding.network.starts_with("::ffff"))  // parsing such a network would fold it
    return std::equal(mapped.begin(), mapped.end(), address.bytes.begin());
  return IpNetwork::parse(embedding.network)->contains(address);
}

IpAddress effective(const IpAddress& address) {
  if (!address.v6) return address;
  for (const Embedding& embedding : kEmbeddings) {
    if (!has_prefix(address, embedding)) continue;
    IpAddress inside;
    std::copy_n(address.bytes.begin() + static_cast<std::ptrdiff_t>(embedding.offset), 4, inside.bytes.begin());
    return inside;
  }
  return address;
}

bool listed(const std::vector<std::string>& allowed, std::string_view host, const IpAddress& address) {
  return std::ranges::any_of(allowed, [&](const std::string& entry) {
    if (iequals(entry, host)) return true;
    const auto network = IpNetwork::parse(entry);
    return network && (network->contains(address) || network->contains(effective(address)));
  });
}

bool own_listener(const DestinationPolicy& policy, const IpAddress& address, std::uint16_t port) {
  if (std::ranges::find(policy.own_ports, port) == policy.own_ports.end()) return false;
  const IpAddress to = effective(address);
  return to.loopback() || std::ranges::find(policy.own_addresses, to) != policy.own_addresses.end() ||
         reach_of(to) == Reach::Forbidden;
}

bool may_go_to(const DestinationPolicy& policy, std::string_view host, std::uint16_t port, const IpAddress& address) {
  if (own_listener(policy, address, port)) return false;
  const Reach reach = reach_of(address);
  if (reach == Reach::Public || (reach == Reach::Private && policy.private_networks)) return true;
  return listed(policy.allowed, host, address);
}

}  // namespace

Reach reach_of(const IpAddress& address) {
  static const auto forbidden = networks_of(kForbidden);
  static const auto private_networks = networks_of(kPrivate);
  const IpAddress to = effective(address);
  if (in_any(forbidden, to)) return Reach::Forbidden;
  return to.loopback() || in_any(private_networks, to) ? Reach::Private : Reach::Public;
}

std::optional<IpAddress> refused_address(const DestinationPolicy& policy, std::string_view host, std::uint16_t port,
                                         std::span<const IpAddress> addresses) {
  const auto refused = std::ranges::find_if(
      addresses, [&](const IpAddress& address) { return !may_go_to(policy, host, port, address); });
  if (refused == addresses.end()) return std::nullopt;
  return *refused;
}

}  // namespace posthaste::io
