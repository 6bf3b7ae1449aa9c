// What a Stream is made of: a non-blocking socket on a loop, the coroutines that wait for it, and TLS once negotiated.
//
// An operation tries the system call first and waits for the socket only when that would block, so what is ready costs
// no trip through the loop. Operations and Asio's handlers share ownership: close() may come at any moment, and each
// waiting operation then wakes with Closed. Only for the .cpp files of this room; all calls come from the loop.
#pragma once

#include <array>
#include <coroutine>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "io/asio.h"
#include "io/stream.h"

struct ssl_st;

namespace posthaste::io {

enum class Side { Read, Write };
enum class Wake { Ready, Timeout, Closed };

// How far a system call came: bytes moved, or the side to wait for, or the end.
struct Step {
  std::size_t bytes = 0;
  std::optional<Side> wants;
  std::optional<Error> error;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  // Suspends until the socket is ready on that side, the deadline passed or the connection was closed.
  // A named local of the waiting coroutine.
  class Wait {
   public:
    Wait(Connection& connection, Side side, SteadyTime deadline)
        : connection_(connection), side_(side), deadline_(deadline) {}
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    ~Wait() { connection_.forget(*this); }

    bool await_ready() const noexcept { return !connection_.open(); }
    void await_suspend(std::coroutine_handle<> handle);
    Wake await_resume() const noexcept { return outcome_; }

   private:
    friend class Connection;
    Connection& connection_;
    Side side_;
    SteadyTime deadline_;
    std::coroutine_handle<> handle_;
    Wake outcome_ = Wake::Closed;
    Wait* next_ = nullptr;
  };

  Connection(Loop& loop, int fd);
  ~Connection();

  void close();
  bool open() const { return !closed_; }
  Loop& loop() const { return loop_; }
  int fd() { return descriptor_.native_handle(); }

  Step try_read(std::span<char> into);
  // Takes from `first`, which is not empty, and then from `rest`; over TLS from `first` only.
  Step try_write(std::string_view first, std::span<const std::string_view> rest = {});

  // The closing alert of TLS, then the end of the sending side. try_read_raw() reads past TLS.
  void end_sending();
  Step try_read_raw(std::span<char> into);

  // Operations that never wait give way now and then: a fast peer does not hold up the loop.
  bool should_pause();

  bool tls() const { return ssl_ != nullptr; }
  ssl_st* ssl() const { return ssl_.get(); }
  void set_ssl(ssl_st* ssl) { ssl_.reset(ssl); }
  // What the last TLS call's return value means.
  Step tls_step(int returned);

  void set_endpoints();
  const Endpoint& peer() const { return peer_; }
  const Endpoint& local() const { return local_; }

 private:
  struct FreeSsl {
    void operator()(ssl_st* ssl) const;
  };
  struct Slot {
    Wait* waiting = nullptr;
    bool watched = false;  // Asio will call ready()
  };

  Slot& slot(Side side) { return slots_[static_cast<std::size_t>(side)]; }
  void add(Wait& wait);
  void forget(Wait& wait);
  void say_goodbye();
  void ready(Side side);
  void arm(SteadyTime deadline);
  void expire();
  Wait* take_expired(SteadyTime now);

  Loop& loop_;
  Descriptor descriptor_;
  SteadyTimer timer_;
  SteadyTime armed_ = SteadyTime::max();
  std::array<Slot, 2> slots_;
  std::unique_ptr<ssl_st, FreeSsl> ssl_;
  bool tls_ended_ = false;  // by an error or the closing alert
  bool closed_ = false;
  unsigned unpaused_ = 0;
  Endpoint peer_;
  Endpoint local_;
};

struct Stream::Impl {
  std::shared_ptr<Connection> connection;
};

// Takes over the non-blocking socket.
Stream make_stream(Loop& loop, int fd);

Error closed_error(std::string cause = {});
Error timeout_error();

// Waits for the socket. Nothing if the operation may go on.
Task<std::optional<Error>> wait_for(std::shared_ptr<Connection> connection, Side side, SteadyTime deadline);

}  // namespace posthaste::io
