#include "base/network.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/strings.h"

namespace posthaste {

namespace {

constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool in(const IpAddress& ip, std::string_view network) { return IpNetwork::parse(network)->contains(ip); }

// The prefix length of a dotted netmask; nothing if its ones do not stand together.
std::optional<std::int64_t> netmask_prefix(std::string_view text) {
  const auto mask = IpAddress::parse(text);
  if (!mask || mask->v6) return std::nullopt;
  const std::uint32_t bits = std::uint32_t(mask->bytes[0]) << 24 | std::uint32_t(mask->bytes[1]) << 16 |
                             std::uint32_t(mask->bytes[2]) << 8 | mask->bytes[3];
  const int ones = std::countl_one(bits);
  if (ones + std::countr_zero(bits) < 32) return std::nullopt;
  return ones;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.size() >= INET6_ADDRSTRLEN) return std::nullopt;
  const std::string owned(text);
  IpAddress ip;
  if (inet_pton(AF_INET, owned.c_str(), ip.bytes.data()) == 1) return ip;
  if (inet_pton(AF_INET6, owned.c_str(), ip.bytes.data()) != 1) return std::nullopt;
  ip.v6 = true;
  if (!std::equal(kMapped.begin(), kMapped.end(), ip.bytes.begin())) return ip;
  IpAddress v4;
  std::copy_n(ip.bytes.begin() + 12, 4, v4.bytes.begin());
  return v4;
}

std::string IpAddress::text() const {
  char buffer[INET6_ADDRSTRLEN];
  inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), buffer, sizeof buffer);
  return buffer;
}

bool IpAddress::loopback() const { return v6 ? in(*this, "::1/128") : bytes[0] == 127; }

bool IpAddress::is_private() const {
  if (loopback()) return true;
  if (v6) return in(*this, "fc00::/7") || in(*this, "fe80::/10") || in(*this, "::/128");
  return in(*this, "10.0.0.0/8") || in(*this, "172.16.0.0/12") || in(*this, "192.168.0.0/16") ||
         in(*this, "169.254.0.0/16") || in(*this, "100.64.0.0/10") || in(*this, "0.0.0.0/8");
}

std::string IpAddress::reverse_name() const {
  std::string name;
  if (!v6) return fmt::format("{}.{}.{}.{}.in-addr.arpa", bytes[3], bytes[2], bytes[1], bytes[0]);
  for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte)
    name += fmt::format("{:x}.{:x}.", *byte & 15, *byte >> 4);
  return name + "ip6.arpa";
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return std::nullopt;
  const int width = address->v6 ? 128 : 32;
  std::optional<std::int64_t> prefix = width;
  if (slash != std::string_view::npos) {
    const auto length = text.substr(slash + 1);
    prefix = length.find('.') == std::string_view::npos ? parse_int(length) : netmask_prefix(length);
  }
  if (!prefix || *prefix < 0 || *prefix > width) return std::nullopt;
  IpNetwork network{*address, int(*prefix)};
  for (int bit = network.prefix; bit < width; ++bit) network.address.bytes[bit / 8] &= ~(0x80u >> (bit % 8));
  return network;
}

bool IpNetwork::contains(const IpAddress& ip) const {
  if (ip.v6 != address.v6) return false;
  const int whole = prefix / 8;
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + whole, ip.bytes.begin())) return false;
  const int rest = prefix % 8;
  return rest == 0 || (ip.bytes[whole] >> (8 - rest)) == (address.bytes[whole] >> (8 - rest));
}

std::string IpNetwork::text() const { return fmt::format("{}/{}", address.text(), prefix); }

}  // namespace posthaste
