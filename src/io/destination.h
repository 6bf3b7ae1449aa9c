// Which hosts our own requests may go to: what users enter as a URL must not open the network behind us to them.
//
// Pure. An address counts as what it leads to: the IPv4 address inside of ::ffff:0:0/96, 64:ff9b::/96 and 2002::/16.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/network.h"

namespace posthaste::io {

struct DestinationPolicy {
  // Private, loopback, shared and reserved networks: allowed, or only what is listed.
  bool private_networks = false;
  // Host names (any case), addresses and networks that are always allowed.
  std::vector<std::string> allowed;
  // This machine's addresses and the ports of its own health and metrics listeners: never allowed.
  std::vector<IpAddress> own_addresses;
  std::vector<std::uint16_t> own_ports;
};

enum class Reach { Public, Private, Forbidden };
// Forbidden: unspecified, link-local (with the clouds' metadata services) and multicast.
Reach reach_of(const IpAddress& address);

// The first of the host's addresses that may not be reached; nothing if all may.
std::optional<IpAddress> refused_address(const DestinationPolicy& policy, std::string_view host, std::uint16_t port,
                                         std::span<const IpAddress> addresses);

}  // namespace posthaste::io
