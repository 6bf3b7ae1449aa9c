#include "base/log.h"
#include "base/strings.h"
#include "delivery/return_path.h"
#include "delivery/spam_fields.h"
#include "delivery/steps.h"
#include "mail/header.h"

namespace posthaste::delivery {

namespace {

constexpr auto kLookAgain = 1h;

Answer later(Tools& tools) { return {Answer::Kind::Retry, {}, tools.clock() + kLookAgain}; }

log::Fields names(const Attempt& attempt) {
  return {{"message", attempt.queued().message_id},
          {"server", attempt.queued().server_id},
          {"token", attempt.message.token}};
}

// Rows that Postal wrote have no code, but a duration if there was a transaction.
bool message_level(const store::Delivery& delivery) {
  return delivery.code ? *delivery.code != 421 : delivery.seconds.has_value();
}

// The remote host said no to this message the last time: not the network, not the DNS, not its patience with us.
bool last_failure_was_about_the_message(const Attempt& attempt, Tools& tools) {
  const auto rows = tools.store.deliveries(attempt.queued().server_id, attempt.message.id);
  return !rows.empty() && message_level(rows.back());
}

}  // namespace

Answer find_message(Attempt& attempt, Tools& tools) {
  auto message = tools.store.message(attempt.queued().server_id, attempt.queued().message_id);
  if (!message) {
    log::info("worker", "unqueueing because backend message has been removed", names(attempt));
    return done();
  }
  attempt.message = std::move(*message);
  const bool finished = attempt.message.status == "Sent" || attempt.message.status == "Processed";
  if (!finished || attempt.queued().manual) return go_on();
  // Its row outlived the attempt: given back at shutdown, or taken by another process, before the outcome was stored.
  log::warn("worker", "unqueueing because message has been sent already", names(attempt));
  return done();
}

Answer find_mail_server(Attempt& attempt, Tools& tools) {
  attempt.directory = tools.store.directory();
  attempt.server = attempt.directory->server(attempt.queued().server_id);
  if (attempt.server) return go_on();
  log::warn("worker", "message waits: its mail server has been deleted or is not known yet", names(attempt));
  return later(tools);
}

Answer hold_while_suspended(Attempt& attempt, Tools&) {
  if (!attempt.directory->suspended(*attempt.server)) return go_on();
  return held(
      "Mail server has been suspended. No e-mails can be processed at present. Contact support for assistance.");
}

Answer fail_after_last_attempt(Attempt& attempt, Tools& tools) {
  const int attempts = attempt.queued().attempts;
  if (attempts < tools.config.postal.default_maximum_delivery_attempts) return go_on();
  auto details = fmt::format("Maximum number of delivery attempts ({}) has been reached.", attempts);
  if (last_failure_was_about_the_message(attempt, tools)) {
    attempt.suppress_reason = "too many soft fails";
    details += fmt::format(" Added {} to suppression list because delivery has failed {} times.",
                           attempt.message.rcpt_to, attempts);
  }
  return failed(std::move(details));
}

std::optional<store::RawMessage> raw_of(const Attempt& attempt, Tools& tools) {
  // What was handed over is the message as it came; once tracking has changed it, the table has the right one.
  if (attempt.queued().raw && !attempt.message.parsed) return attempt.queued().raw;
  if (attempt.message.raw_table.empty()) return std::nullopt;
  return tools.store.raw(attempt.queued().server_id, attempt.message);
}

Answer find_raw_message(Attempt& attempt, Tools& tools) {
  attempt.raw = raw_of(attempt, tools);
  if (attempt.raw) return go_on();
  return failed("Raw message has been removed. Cannot send message.");
}

Answer check_scope(Attempt& attempt, Tools&) {
  if (attempt.message.scope == "outgoing") return go_on();
  return failed("Scope " + attempt.message.scope + " is not valid");
}

Answer check_domain(Attempt& attempt, Tools&) {
  if (attempt.message.domain_id) attempt.domain = attempt.directory->domain(*attempt.message.domain_id);
  if (attempt.domain) return go_on();
  return failed("Message's domain no longer exist");
}

Answer check_recipient(Attempt& attempt, Tools&) {
  if (!is_blank(attempt.message.rcpt_to)) return go_on();
  return failed("Message doesn't have an RCPT to");
}

Answer find_tag(Attempt& attempt, Tools&) {
  if (!attempt.message.tag.empty()) return go_on();
  const auto fields = mail::header_fields(attempt.raw->headers());
  const auto* field = mail::last_field(fields, "X-Postal-Tag");
  if (!field) return go_on();
  attempt.found_tag = mail::decode_text(field->value);
  log::debug("worker", "added tag: " + attempt.found_tag, names(attempt));
  return go_on();
}

Answer hold_by_credential(Attempt& attempt, Tools&) {
  if (attempt.queued().manual || !attempt.message.credential_id) return go_on();
  const auto* credential = attempt.directory->credential(*attempt.message.credential_id);
  if (!credential || !credential->hold) return go_on();
  return held("Credential is configured to hold all messages authenticated by it.");
}

// An entry that has expired counts for nothing here, but a success takes it off the list all the same.
Answer hold_if_suppressed(Attempt& attempt, Tools& tools) {
  const auto entry = tools.store.suppression(attempt.queued().server_id, attempt.message.rcpt_to, Time{});
  attempt.on_suppression_list = entry.has_value();
  if (!entry || attempt.queued().manual || entry->keep_until < tools.clock()) return go_on();
  auto details =
      fmt::format("Recipient ({}) is on the suppression list (reason: {})", attempt.message.rcpt_to, entry->reason);
  // Decision 12 of the reference: a hold that nobody resolves is only confusing, but Postal's users know it.
  const bool modern = tools.config.profile == config::Profile::Modern;
  return modern ? failed(std::move(details)) : held(std::move(details));
}

// O8 also ends messages that an earlier attempt found to be spam, a person's retry included.
Answer fail_if_spam(Attempt& attempt, Tools&) {
  if (!attempt.message.spam) return go_on();
  return failed(fmt::format("Message is likely spam. Threshold is {} and the message scored {}.",
                            decimal(attempt.server->outbound_spam_threshold.value_or(0)),
                            decimal(attempt.message.spam_score)));
}

// A stored X-Postal-MsgID says that an earlier attempt has added both; what clients send of that name is dropped at
// acceptance.
Answer add_headers(Attempt& attempt, Tools& tools) {
  const auto fields = mail::header_fields(attempt.raw->headers());
  if (mail::last_field(fields, "X-Postal-MsgID")) return go_on();
  attempt.added_headers = tools.signer.signature(*attempt.domain, *attempt.raw, tools.clock());
  attempt.added_headers += "X-Postal-MsgID: " + attempt.message.token + "\r\n";
  return go_on();
}

Answer check_send_limit(Attempt& attempt, Tools& tools) {
  // A message is counted once, when its first transaction begins (O11). Only a transaction takes time.
  if (attempt.queued().attempts > 0) {
    const auto rows = tools.store.deliveries(attempt.queued().server_id, attempt.message.id);
    attempt.counted = std::ranges::any_of(rows, [](const auto& row) { return row.seconds.has_value(); });
  }
  if (attempt.counted || tools.limits.take(*attempt.server, tools.clock(), attempt.limit_place)) return go_on();
  auto fields = names(attempt);
  fields.emplace_back("send_limit", *attempt.server->send_limit);
  log::info("worker", "server send limit has been exceeded, holding", fields);
  return held(fmt::format("Message held because send limit ({}) has been reached.", *attempt.server->send_limit));
}

Answer hold_in_development(Attempt& attempt, Tools&) {
  if (attempt.queued().manual || attempt.server->mode != "Development") return go_on();
  return held("Server is in development mode.");
}

Answer address_envelope(Attempt& attempt, Tools& tools) {
  auto recipient = envelope_recipient(attempt.message.rcpt_to);
  if (!recipient) return failed("The recipient's address is not valid.");
  attempt.envelope.mail_from =
      mail_from(attempt.message, *attempt.server, attempt.domain, tools.config, tools.signer.return_tags());
  attempt.envelope.smtputf8 = !is_ascii(*recipient) || !is_ascii(attempt.envelope.mail_from);
  attempt.envelope.rcpt_to = std::move(*recipient);
  attempt.destination = {Destination::Kind::Domain, attempt.queued().domain};
  return go_on();
}

}  // namespace posthaste::delivery
