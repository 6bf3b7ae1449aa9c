#include "smtp/client/channel.h"

#include <fmt/format.h>

namespace posthaste::smtp::client {

namespace {

// Postal's words where it has some: they stand in delivery rows that people have learned to read.
Error worded(Error error, std::string_view timeout_text) {
  if (error.kind == ErrorKind::Timeout) error.text = timeout_text;
  if (error.kind == ErrorKind::Closed) error.text = error.cause.empty() ? "end of file reached" : error.cause;
  if (error.kind == ErrorKind::Unavailable && !error.cause.empty()) error.text = error.cause;
  return error;
}

// Making the contexts reads the system's certificates; once is enough.
std::shared_ptr<const io::TlsContext> tls_context(bool verify) {
  static const auto verifying = io::TlsContext::client(true);
  static const auto trusting = io::TlsContext::client(false);
  return verify ? verifying : trusting;
}

}  // namespace

io::Task<Result<>> Channel::write(std::string_view bytes, Duration timeout) {
  auto written = co_await stream_.write(bytes, timeout);
  if (!written) co_return std::unexpected(worded(std::move(written.error()), "Net::WriteTimeout"));
  co_return Result<>();
}

io::Task<Result<>> Channel::write_all(std::span<const std::string_view> pieces, Duration timeout) {
  auto written = co_await stream_.write_all(pieces, timeout);
  if (!written) co_return std::unexpected(worded(std::move(written.error()), "Net::WriteTimeout"));
  co_return Result<>();
}

io::Task<Result<proto::ReceivedReply>> Channel::reply(Duration timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  parser_.reset();
  for (;;) {
    const auto fed = parser_.feed(unread_);
    unread_.remove_prefix(fed.used);
    if (fed.state == proto::ReplyParser::State::Done) co_return parser_.reply();
    if (fed.state == proto::ReplyParser::State::Broken) {
      co_return fail(ErrorKind::Protocol, fmt::format("protocol error: {}", parser_.error()));
    }
    const auto left = std::chrono::duration_cast<Duration>(deadline - std::chrono::steady_clock::now());
    const std::span<char> room(buffer_);
    auto read = co_await stream_.read_some(room, std::max(left, Duration(1)));
    if (!read) co_return std::unexpected(worded(std::move(read.error()), "Net::ReadTimeout"));
    unread_ = {buffer_.data(), *read};
  }
}

io::Task<Result<proto::ReceivedReply>> Channel::command(std::string_view line, Duration timeout) {
  const std::array<std::string_view, 2> pieces{line, "\r\n"};
  auto written = co_await write_all(pieces, timeout);
  if (!written) co_return std::unexpected(std::move(written.error()));
  co_return co_await reply(timeout);
}

io::Task<Result<io::TlsInfo>> Channel::start_tls(bool verify, std::string name, Duration timeout) {
  if (!unread_.empty()) {
    co_return fail(ErrorKind::Protocol, "protocol error: the server went on talking after its reply to STARTTLS");
  }
  auto context = tls_context(verify);
  co_return co_await stream_.start_tls_client(std::move(context), std::move(name), timeout);
}

}  // namespace posthaste::smtp::client
