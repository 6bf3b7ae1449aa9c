// IP addresses and networks as values; no sockets.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace posthaste {

// An IPv4 or IPv6 address. IPv4-mapped IPv6 (::ffff:a.b.c.d) is folded to IPv4 when parsed.
struct IpAddress {
  bool v6 = false;
  std::array<std::uint8_t, 16> bytes{};  // IPv4 uses the first four

  static std::optional<IpAddress> parse(std::string_view text);
  std::string text() const;
  bool loopback() const;
  bool is_private() const;           // RFC 1918, RFC 4193, link-local, loopback, unspecified, shared (100.64/10)
  std::string reverse_name() const;  // `4.3.2.1.in-addr.arpa`
  bool operator==(const IpAddress&) const = default;
};

// An address with a prefix length: `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, a bare address (/32, /128). Host bits are masked
// off.
struct IpNetwork {
  IpAddress address;
  int prefix = 0;

  static std::optional<IpNetwork> parse(std::string_view text);
  bool contains(const IpAddress& ip) const;
  std::string text() const;
};

}  // namespace posthaste
