#include "io/stream.h"

#include <fcntl.h>

#include <utility>

#include "io/asio.h"
#include "io/connection.h"

namespace posthaste::io {
namespace {

using Shared = std::shared_ptr<Connection>;

// Pieces below this size share TLS records.
constexpr std::size_t kOwnRecord = 4096;
constexpr std::size_t kRecord = 16 * 1024;

Task<Result<std::size_t>> read(Shared connection, std::span<char> into, Duration timeout) {
  if (connection->should_pause()) co_await Pause{connection->loop()};
  std::optional<SteadyTime> deadline;
  while (true) {
    Step step = connection->try_read(into);
    if (step.bytes > 0) co_return step.bytes;
    if (step.error) co_return std::unexpected(std::move(*step.error));
    if (!deadline) deadline = deadline_after(timeout);
    auto failed = co_await wait_for(connection, *step.wants, *deadline);
    if (failed) co_return std::unexpected(std::move(*failed));
  }
}

// Writes `first` and then `rest`, which is empty over TLS.
Task<Result<>> write_out(Shared connection, std::string_view first, std::span<const std::string_view> rest,
                         Duration timeout) {
  std::optional<SteadyTime> deadline;
  while (true) {
    while (first.empty() && !rest.empty()) {
      first = rest.front();
      rest = rest.subspan(1);
    }
    if (first.empty()) co_return Result<>{};
    if (connection->should_pause()) co_await Pause{connection->loop()};

    Step step = connection->try_write(first, rest);
    if (step.error) co_return std::unexpected(std::move(*step.error));
    if (step.bytes > 0) {
      deadline.reset();
      std::size_t taken = step.bytes;
      while (taken > first.size()) {
        taken -= first.size();
        first = rest.front();
        rest = rest.subspan(1);
      }
      first.remove_prefix(taken);
      continue;
    }
    if (!deadline) deadline = deadline_after(timeout);
    auto failed = co_await wait_for(connection, *step.wants, *deadline);
    if (failed) co_return std::unexpected(std::move(*failed));
  }
}

// Small pieces are joined: each call into TLS makes a record, and most callers write many short lines.
Task<Result<>> write_records(Shared connection, std::span<const std::string_view> pieces, Duration timeout) {
  std::string joined;
  while (!pieces.empty()) {
    std::string_view next = pieces.front();
    if (next.size() < kOwnRecord && pieces.size() > 1) {
      joined.clear();
      while (!pieces.empty() && joined.size() + pieces.front().size() <= kRecord) {
        joined += pieces.front();
        pieces = pieces.subspan(1);
      }
      next = joined;
    } else {
      pieces = pieces.subspan(1);
    }
    const std::span<const std::string_view> none;
    auto written = co_await write_out(connection, next, none, timeout);
    if (!written) co_return written;
  }
  co_return Result<>{};
}

Task<> drain(Shared connection, Duration timeout) {
  constexpr std::size_t kMost = 16 * 1024 * 1024;
  const SteadyTime deadline = deadline_after(timeout);
  std::array<char, 4096> waste;
  std::size_t seen = 0;
  while (seen < kMost && std::chrono::steady_clock::now() < deadline) {
    if (connection->should_pause()) co_await Pause{connection->loop()};
    Step step = connection->try_read_raw(waste);
    if (step.error) break;
    seen += step.bytes;
    if (step.bytes > 0) continue;
    auto failed = co_await wait_for(connection, *step.wants, deadline);
    if (failed) break;
  }
  connection->close();
}

template <class T>
Task<Result<T>> never_connected() {
  co_return std::unexpected(closed_error());
}

}  // namespace

Stream make_stream(Loop& loop, int fd) {
  auto connection = std::make_shared<Connection>(loop, fd);
  connection->set_endpoints();
  return Stream(std::make_unique<Stream::Impl>(std::move(connection)));
}

Stream::Stream() = default;
Stream::Stream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Stream::Stream(Stream&&) noexcept = default;
Stream::~Stream() { close(); }

Stream& Stream::operator=(Stream&& other) noexcept {
  if (this == &other) return *this;
  close();
  impl_ = std::move(other.impl_);
  return *this;
}

Task<Result<std::size_t>> Stream::read_some(std::span<char> into, Duration timeout) {
  if (!impl_) return never_connected<std::size_t>();
  return read(impl_->connection, into, timeout);
}

Task<Result<>> Stream::write(std::string_view bytes, Duration timeout) {
  if (!impl_) return never_connected<void>();
  return write_out(impl_->connection, bytes, {}, timeout);
}

Task<Result<>> Stream::write_all(std::span<const std::string_view> pieces, Duration timeout) {
  if (!impl_) return never_connected<void>();
  if (impl_->connection->tls()) return write_records(impl_->connection, pieces, timeout);
  return write_out(impl_->connection, {}, pieces, timeout);
}

void Stream::end_sending() {
  if (impl_) impl_->connection->end_sending();
}

Task<> Stream::finish(Duration timeout) {
  if (!open()) co_return;
  auto connection = impl_->connection;
  connection->end_sending();
  co_await drain(std::move(connection), timeout);
}

void Stream::close() {
  if (impl_) impl_->connection->close();
}

bool Stream::open() const { return impl_ && impl_->connection->open(); }
bool Stream::tls() const { return impl_ && impl_->connection->tls(); }
Endpoint Stream::peer() const { return impl_ ? impl_->connection->peer() : Endpoint{}; }
Endpoint Stream::local() const { return impl_ ? impl_->connection->local() : Endpoint{}; }

}  // namespace posthaste::io
