// What is told about a session: debug lines of the dialogue, one line per transaction and per connection.
#include <fmt/format.h>

#include "base/strings.h"
#include "smtp/server/metrics.h"
#include "smtp/server/session.h"

namespace posthaste::smtp::server {

namespace {

constexpr std::string_view kComponent = "smtp-server";

// `AUTH PLAIN <secret>`: the secret never reaches a log.
std::string redacted(std::string_view line) {
  constexpr std::string_view kBlanks = " \t";  // the parser takes either
  if (!istarts_with(line, "AUTH") || line.find_first_of(kBlanks) != 4) return std::string(line);
  const auto mechanism_end = line.find_first_of(kBlanks, 5);
  if (mechanism_end == std::string_view::npos) return std::string(line);
  return std::string(line.substr(0, mechanism_end + 1)) + "[redacted]";
}

}  // namespace

log::Fields Session::about() const { return {{"trace_id", trace_id_}}; }

void Session::log_input(std::string_view line, bool secret) const {
  if (!logged_ || !log::enabled(log::Level::Debug)) return;
  log::debug(kComponent, "<= " + (secret ? std::string("[redacted]") : redacted(line)), about());
}

void Session::log_output(std::string_view lines) const {
  if (!logged_ || !log::enabled(log::Level::Debug)) return;
  for (const auto line : split(lines, '\n'))
    if (!is_blank(line)) log::debug(kComponent, "=> " + std::string(trim(line)), about());
}

void Session::warn(const std::string& message) const {
  if (logged_) log::warn(kComponent, message, about());
}

// The text is what Postal's users watch for; the fields say what really happened: nobody tried a password.
void Session::log_unauthenticated(const std::string& rcpt) const {
  if (!logged_) return;
  log::warn(kComponent, "Authentication failure for " + client_.text(),
            {{"trace_id", trace_id_},
             {"reason", "no login, and nobody here has this recipient"},
             {"ip", client_.text()},
             {"helo", helo_},
             {"mail_from", mail_from_},
             {"rcpt", rcpt}});
}

void Session::log_transaction(std::string_view reply) const {
  if (!logged_) return;
  log::Fields fields{
      {"trace_id", trace_id_},
      {"ip", client_.text()},
      {"helo", helo_},
      {"mail_from", mail_from_},
      {"recipients", recipients_.size()},
      {"size", stored_size_},
      {"reply", reply},
      {"duration", fmt::format("{:.3f}", to_unix_seconds(around_.clock()) - to_unix_seconds(text_began_))}};
  if (tls_) fields.emplace_back("tls", tls_->version + " " + tls_->cipher);
  if (login_) fields.emplace_back("credential", login_->credential_id);
  if (login_) fields.emplace_back("server", login_->server_id);
  log::info(kComponent, "transaction finished", fields);
}

void Session::closed(std::string_view why) {
  if (close_reason_.empty()) close_reason_ = why;
  memory_.hold(0);
  place_.leave();
  if (!logged_) return;
  log::Fields fields{{"trace_id", trace_id_},
                     {"ip", client_.text()},
                     {"reason", close_reason_},
                     {"transactions", transactions_},
                     {"messages", messages_},
                     {"errors", errors_},
                     {"bytes", bytes_in_},
                     {"duration", fmt::format("{:.3f}", to_unix_seconds(around_.clock()) - to_unix_seconds(opened_))}};
  if (bare_lf_lines_ > 0) fields.emplace_back("bare_lf_lines", bare_lf_lines_);
  log::info(kComponent, "Connection closed", fields);
}

}  // namespace posthaste::smtp::server
