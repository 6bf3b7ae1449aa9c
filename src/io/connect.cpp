// Outgoing connections.
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

#include "io/connection.h"
#include "io/socket.h"

namespace posthaste::io {
namespace {

constexpr int kSocketType = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

Error unreachable(const std::string& to, int error) {
  return Error{ErrorKind::Unavailable, "cannot connect to " + to, system_text(error)};
}

int bind_source(int fd, const IpAddress& source) {
  set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);  // the port is chosen on connect: many more fit one address
  const SocketAddress address = to_socket_address(Endpoint{source, 0});
  return ::bind(fd, address.raw(), address.length) == 0 ? 0 : errno;
}

int pending_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) == 0 ? error : errno;
}

// `shown` is the destination as texts name it.
Task<Result<Stream>> connect_to(Fd socket, SocketAddress address, std::string shown, Duration timeout) {
  int error = 0;
  if (::connect(socket.get(), address.raw(), address.length) != 0) error = errno;
  if (error != 0 && error != EINPROGRESS) co_return std::unexpected(unreachable(shown, error));

  auto connection = std::make_shared<Connection>(*Loop::current(), socket.get());
  socket.release();
  Stream stream(std::make_unique<Stream::Impl>(connection));
  if (error == EINPROGRESS) {
    auto failed = co_await wait_for(connection, Side::Write, deadline_after(timeout));
    if (failed) {
      failed->text = "cannot connect to " + shown + ": " + failed->text;
      co_return std::unexpected(std::move(*failed));
    }
    error = pending_error(connection->fd());
    if (error != 0) co_return std::unexpected(unreachable(shown, error));
  }
  connection->set_endpoints();
  co_return stream;
}

Task<Result<Stream>> failed_to_connect(Error error) { co_return std::unexpected(std::move(error)); }

}  // namespace

Task<Result<Stream>> Stream::connect(Endpoint to, std::optional<IpAddress> source, Duration timeout) {
  std::string shown = to_text(to);
  Fd socket(::socket(to.ip.v6 ? AF_INET6 : AF_INET, kSocketType, 0));
  if (socket.get() < 0) return failed_to_connect(unreachable(shown, errno));
  set_connection_options(socket.get());
  if (source) {
    if (const int error = bind_source(socket.get(), *source)) {
      return failed_to_connect({ErrorKind::Unavailable, "cannot connect from " + source->text(), system_text(error)});
    }
  }
  return connect_to(std::move(socket), to_socket_address(to), std::move(shown), timeout);
}

Task<Result<Stream>> Stream::connect_unix(std::string path, Duration timeout) {
  const auto address = to_socket_address(path);
  if (!address) return failed_to_connect({ErrorKind::Invalid, "not the path of a socket: " + path, {}});
  Fd socket(::socket(AF_UNIX, kSocketType, 0));
  if (socket.get() < 0) return failed_to_connect(unreachable(path, errno));
  return connect_to(std::move(socket), *address, std::move(path), timeout);
}

}  // namespace posthaste::io
