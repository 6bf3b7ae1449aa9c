// Listeners on all loops, the connections that they bring, TLS material, and the end of it all (smtp-server.md 1).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/loop.h"
#include "io/resolver.h"
#include "io/stream.h"
#include "io/tls.h"
#include "smtp/server/handler.h"
#include "smtp/server/limits.h"
#include "smtp/server/settings.h"

namespace posthaste::smtp::server {

struct Listening {
  std::string address;
  std::uint16_t port = 25;
  Settings settings;
  io::TlsContext::ServerOptions tls;  // used where settings want TLS
  Duration tls_reload_interval = std::chrono::seconds(60);
  std::shared_ptr<Limits> limits;  // shared with other listeners; null: its own
};

class Server {
 public:
  // Opens the listener on every loop (they share the port). `handler`, `resolver` (may be null) and `runtime` outlive
  // the server's connections. TLS material that cannot be loaded is logged; then STARTTLS is not offered, and a port
  // with TLS from the start fails with Invalid. Fails with Unavailable when the address cannot be bound.
  static Result<std::unique_ptr<Server>> open(Listening listening, Handler& handler, io::Resolver* resolver,
                                              io::Runtime& runtime);
  ~Server();

  std::uint16_t port() const;
  std::size_t connections() const;

  // Reads the certificate files again; what cannot be loaded leaves the old material in force. Any thread.
  void reload_tls();

  // Closes the listeners and tells the sessions; stop() waits for them. Any thread.
  void close();

  // As close(): sessions between messages get 421 at once, those that are in the middle of one until the
  // deadline to finish it. A message that is being stored is always awaited. On any loop.
  io::Task<> stop(Duration deadline);

  struct Impl;
  explicit Server(std::shared_ptr<Impl> impl);

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace posthaste::smtp::server
