#include "intake/smtp_handler.h"

#include "base/log.h"
#include "base/strings.h"
#include "intake/recipients.h"
#include "intake/sender_check.h"
#include "intake/submissions.h"

namespace posthaste::intake {

namespace {

using smtp::server::Login;
using smtp::server::RecipientAnswer;
using smtp::server::RecipientQuestion;
using smtp::server::Refusal;
using smtp::server::Transaction;

Refusal try_later() { return {451, "4.3.0", "Temporary server error, please try again later", "temporary-error", {}}; }

Refusal not_valid(std::string why) {
  return {530, "5.7.1", "From/Sender name is not valid", "from-name-invalid", std::move(why)};
}

void log_failure(const std::string& trace_id, std::string_view what, std::string_view cause) {
  log::error("smtp-server", "a message could not be stored",
             {{"trace_id", trace_id}, {"error", what}, {"cause", cause}});
}

// `org/server` or `org_server`
std::pair<std::string_view, std::string_view> account_of(std::string_view user) {
  const auto cut = user.find_first_of("/_");
  if (cut == std::string_view::npos) return {user, {}};
  return {user.substr(0, cut), user.substr(cut + 1)};
}

}  // namespace

std::optional<Login> SmtpHandler::login(std::string_view key) {
  const auto directory = store_.directory();
  const auto* credential = directory->credential_by_key(store::CredentialType::Smtp, key);
  const auto* server = credential ? directory->server(credential->server_id) : nullptr;
  if (!server) return std::nullopt;
  store_.note_credential_used(credential->id, clock_());
  return login_of(*directory, *credential, *server);
}

std::expected<Login, std::string> SmtpHandler::login(std::string_view user,
                                                     const std::function<bool(std::string_view key)>& fits) {
  const auto directory = store_.directory();
  const auto [organization, permalink] = account_of(user);
  const auto* server = permalink.empty() ? nullptr : directory->server(organization, permalink);
  if (!server) return std::unexpected("no server found matching " + clean_utf8(user));
  for (const auto* credential : directory->smtp_credentials(server->id)) {
    if (!fits(credential->key)) continue;
    store_.note_credential_used(credential->id, clock_());
    return login_of(*directory, *credential, *server);
  }
  return std::unexpected(std::string("invalid credential"));
}

std::expected<RecipientAnswer, Refusal> SmtpHandler::recipient(const RecipientQuestion& question) {
  const auto directory = store_.directory();
  auto decision = decide_recipient(*directory, config_, question);
  if (decision && decision->login) store_.note_credential_used(decision->login->credential_id, clock_());
  return decision;
}

bool SmtpHandler::hides_client(const Login& login) {
  const auto directory = store_.directory();
  const auto* server = directory->server(login.server_id);
  return server && server->privacy_mode;
}

std::expected<std::int64_t, Refusal> SmtpHandler::sender(const Login& login,
                                                         const std::vector<mail::HeaderField>& fields) {
  const auto directory = store_.directory();
  const auto* server = directory->server(login.server_id);
  if (!server) return std::unexpected(not_valid("the mail server has been deleted"));
  if (config_.smtp_server.reject_multiple_from && from_fields_differ(fields))
    return std::unexpected(Refusal{550, "5.6.0", "Multiple From headers", "multiple-from", {}});
  const auto domain = authenticate_sender(*directory, *server, fields);
  if (!domain) return std::unexpected(not_valid(domain.error()));
  return (*domain)->id;
}

io::Task<std::expected<std::string, Refusal>> SmtpHandler::store(Transaction transaction) {
  using Outcome = std::expected<std::string, Refusal>;
  const std::string trace_id = transaction.trace_id;
  const auto directory = store_.directory();
  auto submissions = submissions_of(std::move(transaction), *directory, clock_, config_.dns.return_path_domain);
  if (submissions.empty()) {  // every mail server concerned was deleted within this transaction
    co_return Outcome(std::unexpected(Refusal{550, "5.1.1", "Recipients no longer exist", "unknown-recipient", {}}));
  }

  Result<std::vector<store::Stored>> stored;
  std::string thrown;
  try {
    stored = co_await intake_.accept(std::move(submissions));
  } catch (const std::exception& error) {
    thrown = error.what();
  }
  if (!thrown.empty()) {
    log_failure(trace_id, thrown, {});
    co_return Outcome(std::unexpected(try_later()));
  }
  if (!stored) {
    // The store says once when its database is gone; each refusal is in its transaction's line.
    if (stored.error().kind != ErrorKind::Unavailable) log_failure(trace_id, stored.error().text, stored.error().cause);
    if (stored.error().temporary()) co_return Outcome(std::unexpected(try_later()));
    co_return Outcome(std::unexpected(Refusal{554, "5.6.0", "Message cannot be stored", "not-storable", {}}));
  }
  std::string token;
  if (!stored->empty() && !stored->front().messages.empty()) token = stored->front().messages.front().token;
  co_return Outcome(std::move(token));
}

}  // namespace posthaste::intake
