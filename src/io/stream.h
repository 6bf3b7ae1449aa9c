// A TCP (or UNIX) connection on its loop, in clear or over TLS.
//
// Every operation has a deadline and fails as a value: Timeout, Closed (the peer ended or reset it), Unavailable
// (cannot connect; cause is the system's text) or Protocol (TLS). After any failure the stream is only good for
// close(), unless said otherwise. One read and one write may be pending at the same time; all calls come from the
// stream's loop.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/network.h"
#include "base/result.h"
#include "base/time.h"
#include "io/loop.h"
#include "io/task.h"
#include "io/tls.h"

namespace posthaste::io {

struct Endpoint {
  IpAddress ip;
  std::uint16_t port = 0;
};

class Stream {
 public:
  Stream();
  ~Stream();
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;

  // Connects from the current loop. `source`: local address to bind to, if given.
  static Task<Result<Stream>> connect(Endpoint to, std::optional<IpAddress> source, Duration timeout);
  static Task<Result<Stream>> connect_unix(std::string path, Duration timeout);

  // Reads at least one byte. Closed at the end of the stream. After Timeout, and only here, reading may be tried again.
  Task<Result<std::size_t>> read_some(std::span<char> into, Duration timeout);
  // Writes all of it; the timeout is for progress: it starts anew when bytes were taken. The bytes must stay until the
  // end.
  Task<Result<>> write(std::string_view bytes, Duration timeout);
  // Writes the pieces one after the other with gathered writes; pieces and their bytes must stay until the end.
  Task<Result<>> write_all(std::span<const std::string_view> pieces, Duration timeout);

  // Handshakes. Bytes that the caller read before and has not used are a protocol error that the caller must notice.
  Task<Result<TlsInfo>> start_tls_server(std::shared_ptr<const TlsContext> context, Duration timeout);
  Task<Result<TlsInfo>> start_tls_client(std::shared_ptr<const TlsContext> context, std::string name, Duration timeout);

  // Ends the sending side, for peers that wait for that before they answer; reading goes on.
  void end_sending();

  // Ends the sending side, reads away what the peer still sends for at most that long, then closes: the peer gets to
  // see the last reply even if it goes on sending. Use it instead of close() after a refusal in the middle of input.
  Task<> finish(Duration timeout);

  // Ends pending operations with Closed and the connection with it. Idempotent; from the stream's loop.
  void close();
  bool open() const;
  bool tls() const;

  Endpoint peer() const;  // as the socket says; a UNIX socket has 0.0.0.0:0
  Endpoint local() const;

  struct Impl;
  explicit Stream(std::unique_ptr<Impl> impl);
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// Accepts connections on one loop and hands each to `serve`, spawned as a task on that loop. With reuse_port, listeners
// on several loops share the port and the kernel spreads connections. Address `::` also takes IPv4 (as IPv4 addresses).
class Listener {
 public:
  using Serve = std::function<Task<>(Stream)>;

  // Binds and listens at once, backlog 4096. Fails with Unavailable and the system's text (`address already in use`).
  static Result<std::unique_ptr<Listener>> open(Loop& loop, std::string_view address, std::uint16_t port,
                                                bool reuse_port, Serve serve);
  static Result<std::unique_ptr<Listener>> open_unix(Loop& loop, const std::string& path, int mode, Serve serve);
  ~Listener();

  std::uint16_t port() const;  // the real one when 0 was asked for
  void close();                // no more connections; from any thread

  struct Impl;
  explicit Listener(std::shared_ptr<Impl> impl);

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace posthaste::io
