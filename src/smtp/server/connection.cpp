#include "smtp/server/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/random.h"
#include "smtp/server/metrics.h"

namespace posthaste::smtp::server {

using Want = Session::Want;
using Phase = Session::Phase;

namespace {

constexpr std::size_t kSmallBuffer = 4096, kTextBuffer = 65536;
constexpr std::size_t kMaxUnsent = 65536;  // replies to pipelined commands; then they are sent before more is read
constexpr auto kLinger = 2s;
constexpr double kFirstCredit = 30, kMaxCredit = 300;  // seconds
constexpr auto kBusyTimeout = 30s;

Duration since(std::chrono::steady_clock::time_point then) {
  return std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - then);
}

Surroundings real_surroundings() {
  return {system_now, [](std::size_t digits) { return random_hex(digits); }};
}

}  // namespace

Connection::Connection(std::shared_ptr<Shared> shared, Connections& all, io::Stream stream)
    : shared_(std::move(shared)),
      all_(all),
      stream_(std::move(stream)),
      session_(shared_->settings, shared_->handler, *shared_->limits, real_surroundings(),
               random_upper_alphanumeric(8)),
      waiting_since_(std::chrono::steady_clock::now()) {}

io::Task<> Connection::serve(std::shared_ptr<Connection> self) {
  count::connection();
  count::connections_open(1);
  self->shared_->limits->connections.fetch_add(1);
  self->shared_->open.fetch_add(1);
  self->all_.insert(self.get());
  bool failed = false;
  try {
    co_await self->converse();
  } catch (const std::exception& error) {
    failed = true;
    count::exception("data", typeid(error).name());
    log::error("smtp-server", "An error occurred while processing data from a client.",
               {{"trace_id", self->session_.trace_id()}, {"error", error.what()}});
  }
  if (failed) {
    self->session_.failed();
    co_await self->flush();
  }
  self->stream_.close();
  self->session_.closed(self->broken_.empty() ? "closed" : self->broken_);
  self->leave_address();
  self->all_.erase(self.get());
  self->shared_->limits->connections.fetch_sub(1);
  self->shared_->open.fetch_sub(1);
  count::connections_open(-1);
}

io::Task<> Connection::converse() {
  session_.open(stream_.peer().ip, shared_->tls.load() != nullptr);
  client_arrived();
  if (shared_->stopping) session_.shut_down();
  bool open = true;
  while (open) {
    const Want want = session_.want();
    const bool input_left = begin_ < end_;
    const bool send = want != Want::Input || !input_left || session_.output().size() > kMaxUnsent;
    if (send && !session_.output().empty()) {
      open = co_await flush();
    } else if (want == Want::Input && input_left) {
      feed();
    } else if (want == Want::Input) {
      open = co_await read();
    } else if (want == Want::ClientName) {
      co_await await_client_name();
    } else if (want == Want::Store) {
      co_await store();
    } else if (want == Want::StartTls) {
      open = co_await start_tls();
    } else if (want == Want::Pause) {
      auto* loop = io::Loop::current();
      const Duration pause = session_.pause();
      co_await loop->sleep(pause);
      session_.resumed();
    } else {
      co_await stream_.finish(kLinger);
      open = false;
    }
  }
}

// --- limits

void Connection::client_arrived() {
  if (client_known_ || !session_.client_known() || session_.want() == Want::Close) return;
  client_known_ = true;
  const auto& settings = shared_->settings;
  const IpAddress client = session_.client();
  if (shared_->limits->connections.load() > settings.max_connections) {
    count::limit("connections");
    return session_.refuse_connection("Service not available, too many connections");
  }
  if (!settings.exempt(client)) {
    if (shared_->limits->addresses.turned_away(client, system_now())) {
      count::limit("auth_blocks");
      return session_.refuse_connection("Service not available");
    }
    if (!shared_->limits->addresses.arrive(client, system_now(), settings.connection_rate_per_ip)) {
      count::limit("connection_rate");
      return session_.refuse_connection("Too many connections from your address");
    }
    counted_ = shared_->limits->addresses.connect(client, settings.max_connections_per_ip);
    if (!counted_) {
      count::limit("connections_per_ip");
      return session_.refuse_connection("Too many connections from your address");
    }
  }
  if (!settings.reverse_dns) return;
  pointer_ = std::make_shared<Pointer>();
  pointer_deadline_ = std::chrono::steady_clock::now() + settings.reverse_dns_timeout;
  if (!shared_->resolver) {
    pointer_->name.emplace();
    return;
  }
  io::Loop::current()->spawn(look_up(shared_->resolver, client, pointer_), "smtp pointer name");
}

// Sessions that have logged in are counted no more: an application may open many.
void Connection::leave_address() {
  if (std::exchange(counted_, false)) shared_->limits->addresses.disconnect(session_.client());
}

// --- bytes

void Connection::feed() {
  begin_ += session_.receive({buffer_.get() + begin_, end_ - begin_});
  client_arrived();
  if (counted_ && session_.authenticated()) leave_address();
  if (session_.progress() != progress_) {
    progress_ = session_.progress();
    waiting_since_ = std::chrono::steady_clock::now();
  }
}

io::Task<bool> Connection::read() {
  const bool text = session_.phase() == Phase::Text;
  if (text && !in_text_) {
    credit_ = kFirstCredit;
    text_read_ = std::chrono::steady_clock::now();
  }
  in_text_ = text;
  if (const std::size_t wanted = text ? kTextBuffer : kSmallBuffer; capacity_ < wanted) {
    buffer_ = std::make_unique_for_overwrite<char[]>(wanted);
    capacity_ = wanted;
  }

  // On a port with TLS from the start not a byte behind the PROXY header may be taken.
  const bool header = session_.phase() == Phase::Proxy && shared_->settings.implicit_tls;
  const std::span<char> into(buffer_.get(), header ? 1 : capacity_);
  const Duration patience = this->patience();
  reading_ = true;
  auto got = co_await stream_.read_some(into, patience);
  reading_ = false;
  if (session_.want() != Want::Input) co_return true;  // shut down meanwhile
  if (got && !(text && too_slow(*got))) {
    begin_ = 0;
    end_ = *got;
    co_return true;
  }
  if (got || got.error().kind == ErrorKind::Timeout) {
    session_.timed_out();
    co_return true;
  }
  broken_ = got.error().cause.empty() ? got.error().text : got.error().cause;
  co_return false;
}

// How long to wait for the next bytes. A command has to be complete in time: single bytes do not extend it.
Duration Connection::patience() {
  const auto& settings = shared_->settings;
  Duration limit = settings.command_timeout;
  switch (session_.phase()) {
    case Phase::Text:
      if (settings.data_min_rate <= 0) return settings.data_timeout;
      return std::min<Duration>(settings.data_timeout, std::chrono::milliseconds(std::int64_t(credit_ * 1000) + 1));
    case Phase::Proxy:
      limit = settings.proxy_header_timeout;
      break;
    case Phase::Greeting:
      limit = std::min(limit, settings.first_command_timeout);
      break;
    case Phase::Command:
      break;
  }
  if (shared_->limits->connections.load() > settings.max_connections / 5 * 4)
    limit = std::min<Duration>(limit, kBusyTimeout);
  return std::max<Duration>(limit - since(waiting_since_), Duration(1000));
}

// A sender of text earns time by the bytes that it sends and spends it by waiting.
bool Connection::too_slow(std::size_t bytes) {
  if (shared_->settings.data_min_rate <= 0) return false;
  const double waited = double(since(text_read_).count()) / 1e6;
  text_read_ = std::chrono::steady_clock::now();
  credit_ += double(bytes) / shared_->settings.data_min_rate - waited;
  credit_ = std::min(credit_, kMaxCredit);
  return credit_ < 0;
}

io::Task<bool> Connection::flush() {
  sending_.clear();
  sending_.swap(session_.output());
  const std::string_view bytes = sending_;
  auto sent = co_await stream_.write(bytes, shared_->settings.write_timeout);
  waiting_since_ = std::chrono::steady_clock::now();
  if (sent) co_return true;
  if (sent.error().kind == ErrorKind::Timeout) count::timeout("write");
  broken_ = sent.error().text;
  co_return false;
}

// --- what a session waits for

io::Task<> Connection::look_up(io::Resolver* resolver, IpAddress ip, std::shared_ptr<Pointer> pointer) {
  auto answer = co_await resolver->ptr(ip);
  std::string name = answer.ok() && !answer.records.empty() ? answer.records.front() : std::string();
  pointer->name = name;
  pointer->arrived.sender()(std::move(name));
}

io::Task<> Connection::give_up(std::shared_ptr<Pointer> pointer, Duration left) {
  co_await io::Loop::current()->sleep(left);
  if (!pointer->name) pointer->arrived.sender()(std::string());
}

io::Task<> Connection::await_client_name() {
  const auto pointer = pointer_;
  const auto left = std::chrono::duration_cast<Duration>(pointer_deadline_ - std::chrono::steady_clock::now());
  if (pointer && !pointer->name && left > Duration::zero()) {
    io::Loop::current()->spawn(give_up(pointer, left), "smtp pointer name");
    co_await pointer->arrived;
  }
  const std::string name = pointer && pointer->name ? *pointer->name : std::string();
  session_.client_named(name);
}

io::Task<> Connection::store() {
  auto transaction = session_.take_transaction();
  const auto began = std::chrono::steady_clock::now();
  const Time data_began = session_.text_began();
  auto outcome = co_await shared_->handler.store(std::move(transaction));
  count::stored(double(since(began).count()) / 1e6, to_unix_seconds(system_now()) - to_unix_seconds(data_began));
  session_.stored(outcome);
}

// False: nothing more can be said on this connection.
io::Task<bool> Connection::start_tls() {
  if (begin_ < end_) {
    session_.injected();
    stream_.close();
    co_return false;
  }
  auto context = shared_->tls.load();
  if (!context) {
    broken_ = "no TLS material";
    co_return false;
  }
  auto info = co_await stream_.start_tls_server(std::move(context), shared_->settings.tls_handshake_timeout);
  if (!info) {
    count::tls_handshake_failed();
    broken_ = "TLS handshake failed";
    if (log::enabled(log::Level::Debug))
      log::debug("smtp-server", "SSL Negotiation Failed: " + info.error().text + " " + info.error().cause,
                 {{"trace_id", session_.trace_id()}});
    co_return false;
  }
  session_.tls_started(*info);
  waiting_since_ = std::chrono::steady_clock::now();
  co_return true;
}

// --- the end

void Connection::shut_down() {
  session_.shut_down();
  say_goodbye();
}

void Connection::cut() {
  session_.cut();
  say_goodbye();
}

void Connection::say_goodbye() {
  if (reading_ && session_.want() == Want::Close)
    io::Loop::current()->spawn(flush_and_close(shared_from_this()), "smtp goodbye");
}

// Nothing else writes while a read is pending; closing ends that read.
io::Task<> Connection::flush_and_close(std::shared_ptr<Connection> self) {
  co_await self->flush();
  self->stream_.close();
}

}  // namespace posthaste::smtp::server
