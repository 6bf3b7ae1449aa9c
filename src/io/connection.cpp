#include "io/connection.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

#include "io/socket.h"

namespace posthaste::io {
namespace {

constexpr unsigned kStepsBeforePause = 64;
constexpr std::size_t kGather = 64;

Error error_of(int error) {
  if (error == ECONNRESET || error == EPIPE) return closed_error(system_text(error));
  return Error{ErrorKind::Closed, "the connection broke", system_text(error)};
}

// What a plain system call on the socket came to.
Step to_step(ssize_t returned, Side side) {
  if (returned > 0) return {.bytes = static_cast<std::size_t>(returned)};
  if (returned == 0) return {.error = closed_error()};
  if (errno == EAGAIN || errno == EWOULDBLOCK) return {.wants = side};
  return {.error = error_of(errno)};
}

template <class Call>
ssize_t retry_interrupted(Call call) {
  while (true) {
    const ssize_t returned = call();
    if (returned >= 0 || errno != EINTR) return returned;
  }
}

int clamp_length(std::size_t length) { return static_cast<int>(std::min<std::size_t>(length, 1 << 30)); }

}  // namespace

Error closed_error(std::string cause) {
  return Error{ErrorKind::Closed, "connection closed by the other side", std::move(cause)};
}

Error timeout_error() { return Error{ErrorKind::Timeout, "timed out", {}}; }

void Connection::FreeSsl::operator()(ssl_st* ssl) const { SSL_free(ssl); }

Connection::Connection(Loop& loop, int fd)
    : loop_(loop), descriptor_(loop.impl().context, fd), timer_(loop.impl().context) {}

Connection::~Connection() = default;

void Connection::set_endpoints() {
  local_ = local_endpoint(fd());
  peer_ = peer_endpoint(fd());
}

// The closing alert, if TLS runs and the socket takes it now.
void Connection::say_goodbye() {
  if (!ssl_ || tls_ended_ || !SSL_is_init_finished(ssl_.get())) return;
  tls_ended_ = true;  // nothing may be written behind it
  ERR_clear_error();
  (void)SSL_shutdown(ssl_.get());
}

void Connection::end_sending() {
  if (closed_) return;
  say_goodbye();
  (void)::shutdown(fd(), SHUT_WR);  // fails only if the connection is gone, which reading tells
}

// Closing the descriptor completes the watches, which wake who waits: never from within the caller of close().
void Connection::close() {
  if (closed_) return;
  say_goodbye();
  closed_ = true;
  timer_.cancel();
  boost::system::error_code ignored;  // the descriptor is gone whatever close() answers
  descriptor_.close(ignored);
}

Step Connection::try_read(std::span<char> into) {
  if (closed_ || !ssl_) return try_read_raw(into);
  ERR_clear_error();
  return tls_step(SSL_read(ssl_.get(), into.data(), clamp_length(into.size())));
}

Step Connection::try_read_raw(std::span<char> into) {
  if (closed_) return {.error = closed_error()};
  return to_step(retry_interrupted([&] { return ::recv(fd(), into.data(), into.size(), 0); }), Side::Read);
}

Step Connection::try_write(std::string_view first, std::span<const std::string_view> rest) {
  if (closed_) return {.error = closed_error()};
  if (ssl_) {
    ERR_clear_error();
    return tls_step(SSL_write(ssl_.get(), first.data(), clamp_length(first.size())));
  }
  std::array<iovec, kGather> vectors;
  std::size_t count = 0;
  const auto add = [&](std::string_view piece) {
    if (!piece.empty()) vectors[count++] = {const_cast<char*>(piece.data()), piece.size()};
  };
  add(first);
  for (std::size_t i = 0; i < rest.size() && count < vectors.size(); ++i) add(rest[i]);
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  return to_step(retry_interrupted([&] { return ::sendmsg(fd(), &message, MSG_NOSIGNAL); }), Side::Write);
}

Step Connection::tls_step(int returned) {
  if (returned > 0) return {.bytes = static_cast<std::size_t>(returned)};
  const int system_error = errno;
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      return {.wants = Side::Read};
    case SSL_ERROR_WANT_WRITE:
      return {.wants = Side::Write};
    case SSL_ERROR_ZERO_RETURN:
      return {.error = closed_error()};
    case SSL_ERROR_SYSCALL:
      tls_ended_ = true;
      return {.error = system_error == 0 ? closed_error() : error_of(system_error)};
    default:
      break;
  }
  tls_ended_ = true;
  const unsigned long code = ERR_get_error();
  if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) return {.error = closed_error()};
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return {.error = Error{ErrorKind::Protocol, "TLS error", text.data()}};
}

bool Connection::should_pause() {
  if (++unpaused_ < kStepsBeforePause) return false;
  unpaused_ = 0;
  return true;
}

void Connection::Wait::await_suspend(std::coroutine_handle<> handle) {
  handle_ = handle;
  connection_.add(*this);
}

void Connection::add(Wait& wait) {
  unpaused_ = 0;
  Slot& waits = slot(wait.side_);
  wait.next_ = std::exchange(waits.waiting, &wait);
  arm(wait.deadline_);
  if (waits.watched) return;
  waits.watched = true;
  const auto type = wait.side_ == Side::Read ? Descriptor::wait_read : Descriptor::wait_write;
  descriptor_.async_wait(
      type, [self = shared_from_this(), side = wait.side_](const boost::system::error_code&) { self->ready(side); });
}

void Connection::forget(Wait& wait) {
  for (Wait** link = &slot(wait.side_).waiting; *link; link = &(*link)->next_) {
    if (*link != &wait) continue;
    *link = wait.next_;
    return;
  }
}

// Whatever the watch ended with, the next system call tells; a closed connection is told apart here.
void Connection::ready(Side side) {
  Slot& waits = slot(side);
  waits.watched = false;
  Wait* wait = std::exchange(waits.waiting, nullptr);
  while (wait) {
    Wait* next = wait->next_;
    wait->outcome_ = closed_ ? Wake::Closed : Wake::Ready;
    wait->handle_.resume();
    wait = next;
  }
}

// The timer is left alone when an operation ends: it fires early, finds nobody late and is set anew. So a busy
// connection touches it once per deadline, not once per operation.
void Connection::arm(SteadyTime deadline) {
  if (deadline >= armed_) return;
  armed_ = deadline;
  timer_.expires_at(deadline);
  timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->expire();
  });
}

void Connection::expire() {
  if (closed_) return;  // ready() wakes who waits
  armed_ = SteadyTime::max();
  const SteadyTime now = std::chrono::steady_clock::now();
  while (Wait* wait = take_expired(now)) {
    wait->outcome_ = Wake::Timeout;
    wait->handle_.resume();
    if (closed_) return;
  }
  for (const Slot& waits : slots_) {
    for (const Wait* wait = waits.waiting; wait; wait = wait->next_) arm(wait->deadline_);
  }
}

Connection::Wait* Connection::take_expired(SteadyTime now) {
  for (Slot& waits : slots_) {
    for (Wait* wait = waits.waiting; wait; wait = wait->next_) {
      if (wait->deadline_ > now) continue;
      forget(*wait);
      return wait;
    }
  }
  return nullptr;
}

Task<std::optional<Error>> wait_for(std::shared_ptr<Connection> connection, Side side, SteadyTime deadline) {
  Connection::Wait wait(*connection, side, deadline);
  const Wake wake = co_await wait;
  if (wake == Wake::Timeout) co_return timeout_error();
  if (wake == Wake::Closed) co_return closed_error();
  co_return std::nullopt;
}

}  // namespace posthaste::io
