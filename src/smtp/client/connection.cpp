#include "smtp/client/connection.h"

#include <fmt/format.h>

#include "base/log.h"
#include "base/strings.h"
#include "smtp/client/handshake.h"
#include "smtp/client/transaction.h"

namespace posthaste::smtp::client {

namespace {

constexpr Duration kQuitPatience = std::chrono::seconds(2);

class SmtpConnection : public Connection {
 public:
  SmtpConnection(Target target, Timeouts timeouts, Ready ready, bool tls_failed)
      : target_(std::move(target)), timeouts_(timeouts), ready_(std::move(ready)), tls_failed_(tls_failed) {}

  io::Task<Outcome> send(Envelope envelope, std::vector<std::string_view> pieces,
                         std::function<void()> before_dot) override {
    Transaction transaction{ready_,
                            timeouts_,
                            reset_next_,
                            transactions_ > 0,
                            std::move(envelope),
                            std::move(pieces),
                            std::move(before_dot)};
    auto end = co_await run(std::move(transaction));
    if (end.outcome.kind != Outcome::Kind::Unfit) ++transactions_;
    reset_next_ = end.reset_next;
    if (end.close) ready_.channel->close();
    co_return std::move(end.outcome);
  }

  bool usable() const override {
    const int most = ready_.capabilities.max_transactions;
    return ready_.channel->open() && (most == 0 || transactions_ < most);
  }
  int transactions() const override { return transactions_; }
  bool tls() const override { return ready_.channel->tls(); }
  bool tls_failed() const override { return tls_failed_; }
  const Target& target() const override { return target_; }

  io::Task<> quit() override {
    if (ready_.channel->open()) {
      const auto reply = co_await ready_.channel->command("QUIT", kQuitPatience);
      if (!reply)
        log::debug("smtp-client", "no reply to QUIT", {{"endpoint", target_.text()}, {"error", reply.error().text}});
    }
    ready_.channel->close();
  }

 private:
  Target target_;
  Timeouts timeouts_;
  Ready ready_;
  bool tls_failed_;
  bool reset_next_ = false;
  int transactions_ = 0;
};

}  // namespace

std::optional<TlsMode> tls_mode(std::string_view text) {
  if (iequals(text, "None")) return TlsMode::None;
  if (iequals(text, "Auto")) return TlsMode::Auto;
  if (iequals(text, "STARTTLS") || iequals(text, "STARTLS")) return TlsMode::StartTls;
  if (iequals(text, "TLS")) return TlsMode::Tls;
  return std::nullopt;
}

std::string Target::text() const { return fmt::format("{}:{} ({})", endpoint.ip.text(), endpoint.port, host); }

io::Task<Result<std::unique_ptr<Connection>>> Connection::open(Target target, Timeouts timeouts) {
  auto ready = co_await shake_hands(target, target.tls, timeouts);
  const bool tls_failed = !ready && ready.error().tls_failed && target.tls == TlsMode::Auto;
  if (tls_failed) {
    log::info("smtp-client", fmt::format("SSL error ({}), retrying without SSL", ready.error().error.text),
              {{"endpoint", target.text()}});
    ready = co_await shake_hands(target, TlsMode::None, timeouts);
  }
  if (!ready) co_return std::unexpected(std::move(ready.error().error));
  std::unique_ptr<Connection> connection =
      std::make_unique<SmtpConnection>(std::move(target), timeouts, std::move(*ready), tls_failed);
  co_return std::move(connection);
}

}  // namespace posthaste::smtp::client
