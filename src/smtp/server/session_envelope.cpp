// MAIL and RCPT (smtp-server.md 10 and 11).
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "mail/address.h"
#include "smtp/server/metrics.h"
#include "smtp/server/session.h"

namespace posthaste::smtp::server {

namespace {

constexpr std::size_t kFreeRefusals = 5;  // a client that goes on after that is looking for addresses

}  // namespace

void Session::on_mail(std::string_view argument) {
  if (state_ == State::Welcome) return error(503, "5.5.1", "EHLO/HELO first please", "mail-from-out-of-order");
  if (chunks_) return error(503, "5.5.1", "BDAT in progress", "mail-from-out-of-order");
  if (state_ == State::Rcpt) return error(503, "5.5.1", "Sender already specified", "mail-from-out-of-order");
  if (settings_.tls_required && !tls_ && !offloaded_tls_)
    return error(530, "5.7.0", "Must issue a STARTTLS command first", "tls-required");
  if (settings_.auth == Settings::AuthPolicy::Required && !login_)
    return error(530, "5.7.0", "Authentication required", "authentication-required");
  if (transactions_ >= settings_.max_messages) {
    count::limit("messages");
    return goodbye("4.7.0", "Too many messages on this connection");
  }

  reset_transaction();
  state_ = State::Welcomed;
  const auto path = proto::parse_path(argument);
  if (!path || !path->colon || !proto::within_path_limits(path->address))
    return error(501, "5.1.7", "Bad sender address syntax", "invalid-mail-from");
  if (!take_mail_parameters(*path)) return;
  if (needs_smtputf8(path->address))
    return error(553, "5.6.7", "Non-ASCII sender address requires SMTPUTF8", "invalid-mail-from");

  mail_from_ = path->address;
  state_ = State::Mail;
  reply(250, "2.1.0", "OK");
}

// False if a parameter was refused; it has been answered then.
bool Session::take_mail_parameters(const proto::Path& path) {
  const auto refuse_syntax = [this] {
    error(501, "5.5.4", "Syntax error in parameters", "syntax");
    return false;
  };
  const auto refuse_option = [this](std::string_view option) {
    error(555, "5.5.4", fmt::format("Unsupported option: {}", option), "unsupported-option");
    return false;
  };
  for (const auto& [keyword, value] : path.parameters) {
    if (iequals(keyword, "SIZE")) {
      const auto size = proto::parse_size(value);
      if (!size) return refuse_syntax();
      if (*size > settings_.max_message_size()) {
        refuse(too_large());
        return false;
      }
      announced_size_ = *size;
    } else if (iequals(keyword, "BODY")) {
      if (iequals(value, "BINARYMIME")) return refuse_option("BODY=BINARYMIME");
      if (!iequals(value, "7BIT") && !iequals(value, "8BITMIME")) return refuse_syntax();
    } else if (iequals(keyword, "SMTPUTF8")) {
      if (!extended_ || !settings_.smtputf8) return refuse_option("SMTPUTF8");
      smtputf8_ = true;
    } else if (iequals(keyword, "REQUIRETLS")) {
      return refuse_option("REQUIRETLS");
    } else if (!iequals(keyword, "AUTH")) {
      count::ignored_parameter();
    }
  }
  return true;
}

// Addresses outside ASCII need SMTPUTF8; Postal's clients that log in were never asked for it.
bool Session::needs_smtputf8(std::string_view address) {
  if (is_ascii(address)) return false;
  return !is_utf8(address) || !(smtputf8_ || login_);
}

void Session::on_rcpt(std::string_view argument) {
  if (state_ != State::Mail && state_ != State::Rcpt)
    return error(503, "5.5.1", "EHLO/HELO and MAIL FROM first please", "rcpt-to-out-of-order");
  if (chunks_) return error(503, "5.5.1", "BDAT in progress", "rcpt-to-out-of-order");

  const auto path = proto::parse_path(argument);
  if (!path || !path->colon) return error(501, "5.1.3", "Invalid RCPT TO", "invalid-rcpt-to");
  if (is_blank(path->address)) return error(501, "5.1.3", "RCPT TO should not be empty", "empty-rcpt-to");
  const auto parts = mail::split_address(path->address);
  if (is_blank(parts.domain)) return error(501, "5.1.3", "Invalid RCPT TO", "invalid-rcpt-to");
  if (!proto::within_path_limits(path->address))
    return error(501, "5.1.3", "Bad recipient address syntax", "invalid-rcpt-to");
  if (needs_smtputf8(path->address))
    return error(553, "5.6.7", "Non-ASCII recipient address requires SMTPUTF8", "invalid-rcpt-to");
  if (recipients_.size() >= settings_.max_recipients) {
    count::limit("recipients");
    return reply(452, "4.5.3", "Too many recipients");
  }
  const auto domain = to_ascii_domain(parts.domain);
  if (!domain || domain->empty()) return error(501, "5.1.3", "Invalid RCPT TO", "invalid-rcpt-to");
  for (std::size_t i = 0; i < path->parameters.size(); ++i) count::ignored_parameter();
  ask_for(path->address, to_lower(*domain));
}

void Session::ask_for(const std::string& address, std::string_view domain) {
  const std::string local = mail::unquote_local_part(mail::split_address(address).local);
  auto answer = handler_.recipient({address, local, domain, login_ ? &*login_ : nullptr, client_});
  if (!answer) return refused_recipient(address, answer.error());
  add(std::move(*answer));
}

void Session::add(RecipientAnswer answer) {
  if (answer.login) {
    if (logged_)
      log::info("smtp-server", fmt::format("Authenticated by IP with credential {}", answer.login->credential_id),
                about());
    login_ = std::move(answer.login);
  }
  if (std::ranges::find(recipients_, answer.recipient) == recipients_.end())
    recipients_.push_back(std::move(answer.recipient));
  state_ = State::Rcpt;
  reply(250, "2.1.5", "OK");
}

void Session::refused_recipient(const std::string& address, const Refusal& refusal) {
  if (refusal.error == "authentication-required") log_unauthenticated(address);
  if (login_) {  // a list may hold many dead addresses
    reply(refusal.code, refusal.enhanced, worded(refusal));
    if (!refusal.error.empty()) count::client_error(refusal.error);
    return;
  }
  refuse(refusal);
  if (++refused_recipients_ > kFreeRefusals) slow_down(1s);
}

}  // namespace posthaste::smtp::server
