// Incoming connections.
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "io/asio.h"
#include "io/connection.h"
#include "io/socket.h"

namespace posthaste::io {
namespace {

using namespace std::chrono_literals;

constexpr int kBacklog = 4096;
constexpr int kAcceptsPerTurn = 64;
constexpr auto kBackOff = 100ms;  // after a failure that would only repeat itself, such as EMFILE
constexpr auto kLogInterval = 1min;
constexpr int kSocketType = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

// Failures of the one connection, not of accepting (accept(2)).
bool is_transient(int error) {
  return error == EINTR || error == ECONNABORTED || error == EPROTO || error == ENETDOWN || error == ENOPROTOOPT ||
         error == EHOSTDOWN || error == ENONET || error == EHOSTUNREACH || error == EOPNOTSUPP || error == ENETUNREACH;
}

std::unexpected<Error> cannot_listen(const std::string& where, int error) {
  std::string text = system_text(error);
  text[0] = ascii_lower(text[0]);
  return fail(ErrorKind::Unavailable, "cannot listen on " + where + ": " + text, system_text(error));
}

// The serve function lives as long as its task: what it captured stays although the listener may be gone.
Task<> serve_one(std::shared_ptr<const Listener::Serve> serve, Stream stream) {
  auto task = (*serve)(std::move(stream));
  co_await std::move(task);
}

}  // namespace

struct Listener::Impl : std::enable_shared_from_this<Listener::Impl> {
  Impl(Loop& l, Fd socket, std::string path, Serve function)
      : loop(l),
        fd(socket.get()),
        port(local_endpoint(fd).port),
        descriptor(l.impl().context, socket.release()),
        timer(l.impl().context),
        unix_path(std::move(path)),
        serve(std::make_shared<const Serve>(std::move(function))) {}

  void watch() {
    if (closed()) return;
    descriptor.async_wait(Descriptor::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->accept_ready();
    });
  }

  void accept_ready() {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
      const int error = accept_one();
      if (error == 0) continue;
      if (error == EAGAIN || error == EWOULDBLOCK) break;
      if (error == EBADF || error == EINVAL) return;  // closed, or being closed
      return back_off(error);
    }
    watch();
  }

  // The connection's socket, or -1 with errno; EBADF once closed.
  int accept_socket() {
    std::lock_guard lock(mutex);
    if (!is_closed) return ::accept4(fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    errno = EBADF;
    return -1;
  }

  // 0, or what accept failed with.
  int accept_one() {
    Fd socket(accept_socket());
    if (socket.get() < 0) return is_transient(errno) ? 0 : errno;
    if (unix_path.empty()) set_connection_options(socket.get());
    Stream stream = make_stream(loop, socket.get());
    socket.release();
    loop.spawn(serve_one(serve, std::move(stream)), "connection");
    return 0;
  }

  void back_off(int error) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= next_log) {
      log::error("io", "cannot accept connections", {{"error", system_text(error)}});
      next_log = now + kLogInterval;
    }
    timer.expires_after(kBackOff);
    timer.async_wait([self = shared_from_this()](const boost::system::error_code& stopped) {
      if (!stopped) self->watch();
    });
  }

  bool closed() {
    std::lock_guard lock(mutex);
    return is_closed;
  }

  // Ends listening at once, on the caller's thread; the loop then frees the descriptor.
  void close() {
    {
      std::lock_guard lock(mutex);
      if (std::exchange(is_closed, true)) return;
      (void)::shutdown(fd, SHUT_RDWR);
    }
    if (!unix_path.empty()) (void)::unlink(unix_path.c_str());  // gone already: as good
    loop.post([self = shared_from_this()] {
      self->timer.cancel();
      boost::system::error_code ignored;
      self->descriptor.close(ignored);
    });
  }

  Loop& loop;
  const int fd;
  const std::uint16_t port;
  Descriptor descriptor;
  SteadyTimer timer;
  const std::string unix_path;
  const std::shared_ptr<const Serve> serve;
  SteadyTime next_log{};
  std::mutex mutex;  // against close() from another thread
  bool is_closed = false;
};

namespace {

std::unique_ptr<Listener> start(Loop& loop, Fd socket, std::string path, Listener::Serve serve) {
  auto impl = std::make_shared<Listener::Impl>(loop, std::move(socket), std::move(path), std::move(serve));
  loop.post([impl] { impl->watch(); });
  return std::make_unique<Listener>(std::move(impl));
}

// A machine without IPv6 still listens on `::`, as 0.0.0.0.
int open_socket(Endpoint& endpoint) {
  int fd = ::socket(endpoint.ip.v6 ? AF_INET6 : AF_INET, kSocketType, 0);
  if (fd < 0 && errno == EAFNOSUPPORT && endpoint.ip == IpAddress{.v6 = true}) {
    endpoint.ip = IpAddress{};
    fd = ::socket(AF_INET, kSocketType, 0);
  }
  return fd;
}

// True if a process listens on the socket file.
bool in_use(const SocketAddress& address) {
  Fd probe(::socket(AF_UNIX, kSocketType, 0));
  return ::connect(probe.get(), address.raw(), address.length) == 0 || errno != ECONNREFUSED;
}

int bind_unix(int fd, const SocketAddress& address, const std::string& path) {
  if (::bind(fd, address.raw(), address.length) == 0) return 0;
  if (errno != EADDRINUSE) return errno;
  if (in_use(address)) return EADDRINUSE;
  if (::unlink(path.c_str()) != 0) return errno;  // left behind by a process that is gone
  return ::bind(fd, address.raw(), address.length) == 0 ? 0 : errno;
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, std::string_view address, std::uint16_t port,
                                                 bool reuse_port, Serve serve) {
  const auto ip = IpAddress::parse(address);
  if (!ip) return fail(ErrorKind::Invalid, fmt::format("not an IP address: {}", address));
  Endpoint endpoint{*ip, port};
  Fd socket(open_socket(endpoint));
  if (socket.get() < 0) return cannot_listen(to_text(endpoint), errno);

  set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (reuse_port) set_option(socket.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (endpoint.ip.v6) set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, endpoint.ip == IpAddress{.v6 = true} ? 0 : 1);
  const SocketAddress bound = to_socket_address(endpoint);
  if (::bind(socket.get(), bound.raw(), bound.length) != 0) return cannot_listen(to_text(endpoint), errno);
  if (::listen(socket.get(), kBacklog) != 0) return cannot_listen(to_text(endpoint), errno);
  return start(loop, std::move(socket), {}, std::move(serve));
}

Result<std::unique_ptr<Listener>> Listener::open_unix(Loop& loop, const std::string& path, int mode, Serve serve) {
  const auto address = to_socket_address(path);
  if (!address) return fail(ErrorKind::Invalid, "not the path of a socket: " + path);
  Fd socket(::socket(AF_UNIX, kSocketType, 0));
  if (socket.get() < 0) return cannot_listen(path, errno);
  if (const int error = bind_unix(socket.get(), *address, path)) return cannot_listen(path, error);
  if (::chmod(path.c_str(), static_cast<mode_t>(mode)) != 0) return cannot_listen(path, errno);
  if (::listen(socket.get(), kBacklog) != 0) return cannot_listen(path, errno);
  return start(loop, std::move(socket), path, std::move(serve));
}

Listener::Listener(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Listener::~Listener() { close(); }
std::uint16_t Listener::port() const { return impl_->port; }
void Listener::close() { impl_->close(); }

}  // namespace posthaste::io
