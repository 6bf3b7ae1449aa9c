#include "smtp/client/handshake.h"

#include <fmt/format.h>

#include "smtp/client/authentication.h"

namespace posthaste::smtp::client {

namespace {

using Handshake = std::expected<Ready, NotReady>;

std::unexpected<NotReady> give_up(Error error) { return std::unexpected(NotReady{std::move(error), false}); }

// A refusal's text is the reply as it was received.
Result<> positive(const Result<proto::ReceivedReply>& reply) {
  if (!reply) return std::unexpected(reply.error());
  if (!reply->positive()) return fail(ErrorKind::Unavailable, reply->text);
  return {};
}

Error tls_error(Error error) {
  if (error.kind == ErrorKind::Timeout) error.text = "Net::OpenTimeout";
  if (error.kind == ErrorKind::Closed)
    error.text = "SSL_connect: " + (error.cause.empty() ? "end of file" : error.cause);
  return error;
}

io::Task<Result<io::Stream>> connect(const Target& target, Duration timeout) {
  auto stream = co_await io::Stream::connect(target.endpoint, target.source, timeout);
  if (stream) co_return std::move(stream);
  Error error = std::move(stream.error());
  if (error.kind == ErrorKind::Timeout) error.text = "Connection timed out";
  if (error.kind == ErrorKind::Unavailable && !error.cause.empty()) error.text = error.cause;
  co_return std::unexpected(std::move(error));
}

// EHLO, and HELO on the same connection if that is refused. After a 421 the server is about to close.
io::Task<Result<>> say_hello(Ready& ready, const Target& target, Duration timeout) {
  ready.capabilities = {};
  ready.esmtp = false;
  if (!target.helo_only) {
    const std::string ehlo = "EHLO " + target.helo;
    const auto reply = co_await ready.channel->command(ehlo, timeout);
    if (!reply || reply->code == 421) co_return positive(reply);
    if (reply->positive()) {
      ready.capabilities = parse_capabilities(*reply);
      ready.esmtp = true;
      co_return Result<>();
    }
  }
  const std::string helo = "HELO " + target.helo;
  const auto reply = co_await ready.channel->command(helo, timeout);
  co_return positive(reply);
}

io::Task<std::expected<void, NotReady>> start_tls(Ready& ready, const Target& target, bool verify, Timeouts timeouts) {
  const auto reply = co_await ready.channel->command("STARTTLS", timeouts.command);
  if (auto accepted = positive(reply); !accepted) {
    co_return std::unexpected(NotReady{std::move(accepted.error()), reply.has_value()});
  }
  auto info = co_await ready.channel->start_tls(verify, target.host, timeouts.connect);
  if (!info) {
    const bool injected = info.error().text.starts_with("protocol error");
    co_return std::unexpected(NotReady{tls_error(std::move(info.error())), !injected});
  }
  auto greeted = co_await say_hello(ready, target, timeouts.command);
  if (!greeted) co_return give_up(std::move(greeted.error()));
  co_return std::expected<void, NotReady>();
}

}  // namespace

io::Task<Handshake> shake_hands(const Target& target, TlsMode tls, const Timeouts& timeouts) {
  auto stream = co_await connect(target, timeouts.connect);
  if (!stream) co_return give_up(std::move(stream.error()));
  Ready ready;
  ready.channel = std::make_unique<Channel>(std::move(*stream));

  if (tls == TlsMode::Tls) {
    auto info = co_await ready.channel->start_tls(true, target.host, timeouts.connect);
    if (!info) co_return give_up(tls_error(std::move(info.error())));
  }
  const auto greeting = co_await ready.channel->reply(timeouts.command);
  if (auto welcome = positive(greeting); !welcome) co_return give_up(std::move(welcome.error()));
  auto greeted = co_await say_hello(ready, target, timeouts.command);
  if (!greeted) co_return give_up(std::move(greeted.error()));

  const bool offered = ready.capabilities.starttls;
  if (tls == TlsMode::StartTls && !offered) {
    co_return give_up(Error{ErrorKind::Unavailable, "STARTTLS is not supported on this server", ""});
  }
  if (offered && (tls == TlsMode::StartTls || tls == TlsMode::Auto)) {
    auto secured = co_await start_tls(ready, target, tls == TlsMode::StartTls, timeouts);
    if (!secured) co_return std::unexpected(std::move(secured.error()));
  }
  if (!target.username.empty()) {
    auto authenticated =
        co_await authenticate(*ready.channel, ready.capabilities, target.username, target.password, timeouts.command);
    if (!authenticated) co_return give_up(std::move(authenticated.error()));
  }
  co_return std::move(ready);
}

}  // namespace posthaste::smtp::client
