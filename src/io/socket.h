// Sockets of the system: addresses and options. Only for the .cpp files of this room.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/endpoint_text.h"
#include "io/stream.h"

namespace posthaste::io {

// A file descriptor that is closed unless released.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&&) = delete;
  ~Fd();

  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);

  sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress to_socket_address(const Endpoint& endpoint);
// Nothing if the path is too long for a socket.
std::optional<SocketAddress> to_socket_address(const std::string& path);
// IPv4-mapped addresses come out as IPv4; other families as 0.0.0.0:0.
Endpoint to_endpoint(const SocketAddress& address);
Endpoint local_endpoint(int fd);
Endpoint peer_endpoint(int fd);

std::string system_text(int error);  // `Connection refused`

// Small replies go out at once; dead peers are noticed after 50 + 5 * 10 s.
void set_connection_options(int fd);

void set_option(int fd, int level, int name, int value);

}  // namespace posthaste::io
