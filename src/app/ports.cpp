#include "app/ports.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/network.h"

namespace posthaste::app {

namespace {

// Binds without SO_REUSEPORT, which fails while any other socket listens there; the errno, or 0.
int try_to_bind(const IpAddress& ip, std::uint16_t port) {
  const int fd = ::socket(ip.v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return 0;  // the listener itself will say what is wrong
  const int on = 1, off = 0;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in6 v6{};
  sockaddr_in v4{};
  if (ip.v6) {
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::copy_n(ip.bytes.begin(), 16, v6.sin6_addr.s6_addr);
  } else {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::copy_n(ip.bytes.begin(), 4, reinterpret_cast<std::uint8_t*>(&v4.sin_addr));
  }
  const int bound = ip.v6 ? ::bind(fd, reinterpret_cast<const sockaddr*>(&v6), sizeof v6)
                          : ::bind(fd, reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
  const int error = bound == 0 ? 0 : errno;
  ::close(fd);
  return error;
}

}  // namespace

Result<> check_port_free(const std::string& address, std::uint16_t port) {
  const auto ip = IpAddress::parse(address);
  if (!ip || port == 0 || try_to_bind(*ip, port) != EADDRINUSE) return {};
  return fail(ErrorKind::Unavailable,
              fmt::format("Port {} on {} is in use by another process (perhaps another Posthaste). Stop that one, or "
                          "configure another port.",
                          port, address));
}

}  // namespace posthaste::app
