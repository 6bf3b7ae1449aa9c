// For tests: a handler that knows one account and one local address, and a dialogue with a session in a few words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/strings.h"
#include "smtp/server/session.h"

namespace posthaste::smtp::server::testing {

inline const std::string kKey = "SecretKeyOfTwentyFourLtr";

// Credential 1 of `org/server`; mail for info@local.test.
class FakeHandler : public Handler {
 public:
  std::optional<Login> login(std::string_view key) override {
    if (key != kKey) return std::nullopt;
    return Login{1, 2, "org/server"};
  }
  std::expected<Login, std::string> login(std::string_view user,
                                          const std::function<bool(std::string_view)>& fits) override {
    if (user != "org/server") return std::unexpected("no server found matching " + std::string(user));
    if (!fits(kKey)) return std::unexpected(std::string("invalid credential"));
    return Login{1, 2, "org/server"};
  }
  std::expected<RecipientAnswer, Refusal> recipient(const RecipientQuestion& question) override {
    Recipient found{Recipient::Kind::Outgoing, std::string(question.address), 2, 0};
    if (question.login) return RecipientAnswer{found, {}};
    if (question.domain == "local.test" && istarts_with(question.local, "info")) {
      found.kind = Recipient::Kind::Route;
      found.route_id = 5;
      return RecipientAnswer{found, {}};
    }
    if (network_login) return RecipientAnswer{found, Login{3, 2, "org/server"}};
    return std::unexpected(Refusal{530, "5.7.0", "Authentication required", "authentication-required", {}});
  }
  bool hides_client(const Login&) override { return privacy; }
  std::expected<std::int64_t, Refusal> sender(const Login&, const std::vector<mail::HeaderField>& fields) override {
    if (mail::last_field(fields, "From")) return 7;
    return std::unexpected(
        Refusal{530, "5.7.1", "From/Sender name is not valid", "from-name-invalid", "header missing"});
  }
  io::Task<std::expected<std::string, Refusal>> store(Transaction transaction) override {
    stored.push_back(std::move(transaction));
    co_return store_outcome;
  }

  bool privacy = false, network_login = false;
  std::expected<std::string, Refusal> store_outcome = "token";
  std::vector<Transaction> stored;
};

class Dialogue {
 public:
  explicit Dialogue(const std::function<void(Settings&)>& change, bool tls_ready = true)
      : Dialogue(change, tls_ready, 0) {}
  // A session with default settings that has said these lines.
  template <class... Lines>
    requires(std::convertible_to<Lines, std::string> && ...)
  explicit Dialogue(Lines... lines) : Dialogue([](Settings&) {}, true, 0) {
    (say(std::string(lines)), ...);
  }

  // What comes back to a line, or to bytes.
  std::string say(std::string_view line) { return raw(std::string(line) + "\r\n"); }
  std::string raw(std::string_view bytes) {
    std::string replies;
    while (true) {
      replies += std::exchange(session.output(), {});
      if (!serve() && bytes.empty()) return replies;
      if (session.want() == Session::Want::StartTls) return replies;
      bytes.remove_prefix(session.receive(bytes));
    }
  }
  void handshake() { session.tls_started({"TLSv1.3", "TLS_AES_256_GCM_SHA384", false}); }
  bool closed() const { return session.want() == Session::Want::Close; }

  Settings settings;
  FakeHandler handler;
  Limits limits;
  Time now{};
  std::size_t pauses = 0;
  std::string client_name, greeting;
  Session session;

 private:
  Dialogue(const std::function<void(Settings&)>& change, bool tls_ready, int)
      : settings(changed(change)),
        session(settings, handler, limits,
                {[this] { return now; }, [](std::size_t digits) { return std::string(digits, '0'); }}, "TRACE123") {
    session.open(*IpAddress::parse("1.2.3.4"), tls_ready);
    greeting = std::exchange(session.output(), {});
  }
  static Settings changed(const std::function<void(Settings&)>& change) {
    Settings settings;
    settings.host = "mx.example.com";
    change(settings);
    return settings;
  }

  // Does what the session wants; false if it wants nothing but input.
  bool serve() {
    switch (session.want()) {
      case Session::Want::ClientName:
        session.client_named(client_name);
        return true;
      case Session::Want::Store:
        handler.stored.push_back(session.take_transaction());
        session.stored(handler.store_outcome);
        return true;
      case Session::Want::Pause:
        ++pauses;
        session.resumed();
        return true;
      default:
        return false;
    }
  }
};

}  // namespace posthaste::smtp::server::testing
