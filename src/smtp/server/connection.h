// Drives one Session over one stream: reads, writes, timers, TLS, the wait for the commit.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "io/oneshot.h"
#include "io/resolver.h"
#include "io/stream.h"
#include "smtp/server/limits.h"
#include "smtp/server/session.h"
#include "smtp/server/settings.h"

namespace posthaste::smtp::server {

class Connection;
using Connections = std::unordered_set<Connection*>;

// What the connections of a server share. Each of them holds it.
struct Shared {
  Shared(Settings s, Handler& h, io::Resolver* r, std::shared_ptr<Limits> l, std::size_t loops)
      : settings(std::move(s)),
        handler(h),
        resolver(r),
        limits(l ? std::move(l) : std::make_shared<Limits>()),
        connections(loops) {}

  const Settings settings;
  Handler& handler;
  io::Resolver* const resolver;  // null: no PTR names
  const std::shared_ptr<Limits> limits;
  std::vector<Connections> connections;                    // by loop; each touched on its loop only
  std::atomic<std::shared_ptr<const io::TlsContext>> tls;  // null: not loaded
  std::atomic<std::size_t> open{0};                        // connections of this listener
  std::atomic<bool> stopping{false};
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // `all`: where the connections of this loop are kept.
  Connection(std::shared_ptr<Shared> shared, Connections& all, io::Stream stream);

  // Serves until the end. On the stream's loop.
  static io::Task<> serve(std::shared_ptr<Connection> self);

  // Ends it between messages: idle sessions now, others after the message that is coming in. On the stream's loop.
  void shut_down();
  // Ends it wherever it is, but for a message that is being stored.
  void cut();

 private:
  using Instant = std::chrono::steady_clock::time_point;

  // Looked up while the client talks; the answer may come after the connection has gone.
  struct Pointer {
    std::optional<std::string> name;
    io::OneShot<std::string> arrived;
  };

  io::Task<> converse();
  io::Task<bool> read();
  io::Task<bool> flush();
  io::Task<> await_client_name();
  io::Task<> store();
  io::Task<bool> start_tls();
  static io::Task<> look_up(io::Resolver* resolver, IpAddress ip, std::shared_ptr<Pointer> pointer);
  static io::Task<> give_up(std::shared_ptr<Pointer> pointer, Duration left);
  static io::Task<> flush_and_close(std::shared_ptr<Connection> self);

  void feed();
  void client_arrived();  // its address is known: checks limits, asks for its name
  void leave_address();
  void say_goodbye();
  Duration patience();
  bool too_slow(std::size_t bytes);

  std::shared_ptr<Shared> shared_;
  Connections& all_;
  io::Stream stream_;
  Session session_;
  std::string broken_;  // why the stream ended

  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
  std::string sending_;
  bool reading_ = false, client_known_ = false, counted_ = false;

  Instant waiting_since_;  // for the current command
  std::uint64_t progress_ = 0;
  bool in_text_ = false;
  double credit_ = 0;  // seconds that a slow sender of text has left
  Instant text_read_;

  std::shared_ptr<Pointer> pointer_;
  Instant pointer_deadline_;
};

}  // namespace posthaste::smtp::server
