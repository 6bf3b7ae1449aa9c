#include "io/socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <system_error>

namespace posthaste::io {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

IpAddress to_ip(const in6_addr& address) {
  const std::span<const std::uint8_t, 16> bytes(address.s6_addr);
  IpAddress ip;
  if (std::ranges::equal(bytes.first<12>(), kMappedPrefix)) {
    std::ranges::copy(bytes.last<4>(), ip.bytes.begin());
  } else {
    ip.v6 = true;
    std::ranges::copy(bytes, ip.bytes.begin());
  }
  return ip;
}

}  // namespace

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

SocketAddress to_socket_address(const Endpoint& endpoint) {
  SocketAddress address;
  if (endpoint.ip.v6) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(endpoint.port);
    std::memcpy(&in.sin6_addr, endpoint.ip.bytes.data(), 16);
    std::memcpy(&address.storage, &in, sizeof in);
    address.length = sizeof in;
  } else {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(endpoint.port);
    std::memcpy(&in.sin_addr, endpoint.ip.bytes.data(), 4);
    std::memcpy(&address.storage, &in, sizeof in);
    address.length = sizeof in;
  }
  return address;
}

std::optional<SocketAddress> to_socket_address(const std::string& path) {
  sockaddr_un un{};
  if (path.empty() || path.size() >= sizeof un.sun_path) return std::nullopt;
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, path.data(), path.size());
  SocketAddress address;
  std::memcpy(&address.storage, &un, sizeof un);
  address.length = sizeof un;
  return address;
}

Endpoint to_endpoint(const SocketAddress& address) {
  Endpoint endpoint;
  if (address.storage.ss_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, &address.storage, sizeof in);
    std::memcpy(endpoint.ip.bytes.data(), &in.sin_addr, 4);
    endpoint.port = ntohs(in.sin_port);
  } else if (address.storage.ss_family == AF_INET6) {
    sockaddr_in6 in;
    std::memcpy(&in, &address.storage, sizeof in);
    endpoint.ip = to_ip(in.sin6_addr);
    endpoint.port = ntohs(in.sin6_port);
  }
  return endpoint;
}

Endpoint local_endpoint(int fd) {
  SocketAddress address;
  if (::getsockname(fd, address.raw(), &address.length) != 0) return {};
  return to_endpoint(address);
}

Endpoint peer_endpoint(int fd) {
  SocketAddress address;
  if (::getpeername(fd, address.raw(), &address.length) != 0) return {};
  return to_endpoint(address);
}

std::string to_text(const Endpoint& endpoint) {
  return endpoint.ip.v6 ? fmt::format("[{}]:{}", endpoint.ip.text(), endpoint.port)
                        : fmt::format("{}:{}", endpoint.ip.text(), endpoint.port);
}

std::string system_text(int error) { return std::generic_category().message(error); }

// A refused option costs comfort, not correctness: the connection works without it.
void set_option(int fd, int level, int name, int value) { (void)::setsockopt(fd, level, name, &value, sizeof value); }

void set_connection_options(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 50);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 5);
}

}  // namespace posthaste::io
