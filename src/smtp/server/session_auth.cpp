// AUTH PLAIN, LOGIN and CRAM-MD5 (smtp-server.md 8; RFC 4954, 4616, 2195) with Postal's words.
#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "base/strings.h"
#include "smtp/server/metrics.h"
#include "smtp/server/session.h"

namespace posthaste::smtp::server {

namespace {

constexpr std::size_t kChallengeDigits = 20;
constexpr std::string_view kUsernamePrompt = "VXNlcm5hbWU6", kPasswordPrompt = "UGFzc3dvcmQ6";

std::string hmac_md5_hex(std::string_view key, std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_md5(), key.data(), int(key.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest,
       &size);
  return hex_encode({reinterpret_cast<const char*>(digest), size});
}

// RFC 4954 4: `=` alone stands for an empty initial response.
std::optional<std::string> decode(std::string_view response) {
  response = trim(response);
  return base64_decode(response == "=" ? std::string_view() : response);
}

}  // namespace

void Session::on_auth(std::string_view argument) {
  const auto blank = argument.find(' ');
  const std::string mechanism = to_upper(argument.substr(0, blank));
  const auto response = blank == std::string_view::npos ? std::string_view() : trim(argument.substr(blank));
  if (mechanism.empty() || settings_.auth == Settings::AuthPolicy::Off)
    return error(502, "5.5.1", "Invalid/unsupported command", "invalid-command");
  if ((mechanism != "PLAIN" || !settings_.auth_plain) && (mechanism != "LOGIN" || !settings_.auth_login) &&
      (mechanism != "CRAM-MD5" || !settings_.auth_cram_md5))
    return error(504, "5.5.4", "Unrecognized authentication type", "invalid-mechanism");
  count::command("AUTH " + mechanism);
  if (auth_refused()) return;

  if (mechanism == "PLAIN" && !response.empty()) {
    auth_plain(response);
  } else if (mechanism == "PLAIN") {
    auth_ = Auth::Plain;
    reply(334, {}, {});
  } else if (mechanism == "LOGIN") {
    auth_ = response.empty() ? Auth::LoginUser : Auth::LoginPassword;
    reply(334, {}, response.empty() ? kUsernamePrompt : kPasswordPrompt);
  } else {
    auth_ = Auth::Cram;
    challenge_ = fmt::format("<{}@{}>", around_.random_hex(kChallengeDigits), settings_.host);
    reply(334, {}, base64_encode(challenge_));
  }
}

std::string Session::mechanisms() const {
  std::string names;
  if (settings_.auth_cram_md5) names += " CRAM-MD5";
  if (settings_.auth_plain) names += " PLAIN";
  if (settings_.auth_login) names += " LOGIN";
  return names;
}

// Whether AUTH is offered: not in clear where TLS is demanded first, except to this host itself.
bool Session::auth_open() const {
  if (settings_.auth == Settings::AuthPolicy::Off || mechanisms().empty()) return false;
  return tls_ || offloaded_tls_ || !settings_.auth_requires_tls || client_.loopback();
}

// Whether AUTH comes at the wrong time; then it has been answered.
bool Session::auth_refused() {
  if (state_ == State::Welcome) {
    error(503, "5.5.1", "EHLO/HELO first please", "auth-out-of-order");
  } else if (login_) {
    error(503, "5.5.1", "Already authenticated", "auth-out-of-order");
  } else if (state_ == State::Rcpt) {
    error(503, "5.5.1", "AUTH not allowed during a mail transaction", "auth-out-of-order");
  } else if (!auth_open()) {
    error(538, "5.7.11", "Encryption required for requested authentication mechanism", "auth-without-tls");
  } else if (!exempt_ && limits_.addresses.auth_blocked(client_, around_.clock())) {
    count::limit("auth");
    reply(454, "4.7.0", "Temporary authentication failure, try again later");
  } else {
    return false;
  }
  return true;
}

void Session::on_auth_line(std::string_view line) {
  const Auth step = std::exchange(auth_, Auth::None);
  if (trim(line) == "*") return error(501, "5.7.0", "Authentication cancelled", "auth-cancelled");
  switch (step) {
    case Auth::Plain:
      return auth_plain(line);
    case Auth::LoginUser:  // any user name goes: the key says who it is
      auth_ = Auth::LoginPassword;
      return reply(334, {}, kPasswordPrompt);
    case Auth::LoginPassword:
      return auth_password(line);
    case Auth::Cram:
      return auth_cram(line);
    case Auth::None:
      return;
  }
}

// `authorization NUL user NUL password`, or without the first part.
void Session::auth_plain(std::string_view response) {
  const auto decoded = decode(response);
  if (!decoded) return error(501, "5.5.2", "Cannot decode response", "invalid-base64");
  const auto separators = std::ranges::count(*decoded, '\0');
  const std::string_view password = std::string_view(*decoded).substr(decoded->rfind('\0') + 1);
  if (separators < 1 || separators > 2 || password.empty())
    return error(535, "5.7.8", "Authenticated failed - protocol error", "missing-credentials");
  try_key(password);
}

void Session::auth_password(std::string_view response) {
  const auto decoded = decode(response);
  if (!decoded) return error(501, "5.5.2", "Cannot decode response", "invalid-base64");
  try_key(*decoded);
}

void Session::try_key(std::string_view key) {
  auto login = key.empty() ? std::nullopt : handler_.login(key);
  if (!login) return auth_failed(535, "5.7.8", "Invalid credential", "invalid-credentials", {});
  grant(std::move(*login));
}

// `user digest`, the digest in lower-case hex.
void Session::auth_cram(std::string_view response) {
  const auto decoded = decode(response);
  if (!decoded) return error(501, "5.5.2", "Cannot decode response", "invalid-base64");
  const std::string_view text = trim(*decoded);
  const auto blank = text.find(' ');
  const auto user = text.substr(0, blank);
  const auto digest = blank == std::string_view::npos ? std::string_view() : text.substr(blank + 1);

  auto login = handler_.login(
      user, [&](std::string_view key) { return constant_time_equal(hmac_md5_hex(key, challenge_), digest); });
  if (!login) return auth_failed(535, "5.7.8", "Denied", "invalid-credentials", login.error());
  if (logged_)
    log::debug("smtp-server", fmt::format("Authenticated with with credential {}", login->credential_id), about());
  grant(std::move(*login));
}

void Session::grant(Login login) {
  if (!place_.take(login.credential_id, settings_.max_connections_per_credential)) {
    count::limit("connections_per_credential");
    reply(454, "4.7.0", "Too many connections for this credential");
    return close("too many connections for this credential");
  }
  auth_failures_ = 0;
  reply(235, "2.7.0", "Granted for " + login.account);
  login_ = std::move(login);
}

void Session::auth_failed(int code, std::string_view enhanced, std::string_view text, std::string_view error_label,
                          std::string_view reason) {
  warn(fmt::format("Authentication failure for {}{}", client_.text(),
                   reason.empty() ? std::string() : fmt::format(" ({})", reason)));
  error(code, enhanced, text, error_label);
  if (exempt_) return;

  const AddressTable::AuthRule rule{settings_.auth_failures_per_ip, settings_.auth_failure_window,
                                    settings_.auth_block_time};
  if (limits_.addresses.auth_failed(client_, around_.clock(), rule)) {
    count::auth_blocked();
    warn(fmt::format("Authentication blocked for {} (too many failures)", client_.text()));
  }
  if (++auth_failures_ >= settings_.max_auth_failures) {
    count::limit("auth_failures");
    return goodbye("4.7.0", "Too many authentication failures");
  }
  // Guessing shall cost time: 1, 2, 4, 8 s, a little more or less so that many guessers do not fall into step.
  const auto base = Duration(1s) * (1 << std::min<std::size_t>(auth_failures_ - 1, 3));
  const auto random = std::stoul(around_.random_hex(2), nullptr, 16);
  slow_down(base * (80 + long(random * 40 / 255)) / 100);
}

}  // namespace posthaste::smtp::server
