#include "delivery/bounce_message.h"

#include <array>
#include <future>
#include <mutex>

#include "base/log.h"
#include "base/random.h"
#include "base/strings.h"
#include "delivery/pipeline.h"
#include "delivery/return_path.h"
#include "mail/address.h"
#include "mail/bounce_builder.h"
#include "mail/header.h"
#include "store/source_address.h"

namespace posthaste::delivery {

namespace {

constexpr std::size_t kMostInAnHour = 10;

struct Original {
  const store::Message& message;
  const store::RawMessage& raw;
  const store::Server& server;
  const store::Directory& directory;
  bool spam = false;
};

bool speaks_for_mail_system(std::string_view sender) {
  const std::string local = mail::unquote_local_part(mail::split_address(sender).local);
  return iequals(local, "mailer-daemon") || iequals(local, "postmaster");
}

std::string first_word(std::string_view value) {
  value = trim(value);
  return to_lower(value.substr(0, std::min(value.find_first_of(" \t\r\n;("), value.size())));
}

// Answers to machines and lists reach nobody who could use them, and may come back.
bool sent_by_machine(const store::RawMessage& raw) {
  for (const auto& field : mail::header_fields(raw.headers())) {
    const std::string word = first_word(field.value);
    if (field.is("List-Id") || (field.is("Auto-Submitted") && word != "no")) return true;
    if (field.is("Precedence") && (word == "bulk" || word == "list" || word == "junk")) return true;
  }
  return false;
}

bool may_be_told(const Original& original) {
  const store::Message& message = original.message;
  if (message.bounce || original.spam || is_blank(message.mail_from)) return false;
  return envelope_recipient(message.mail_from) && !speaks_for_mail_system(message.mail_from) &&
         !sent_by_machine(original.raw);
}

std::string contact_of(const Original& original, const store::Domain* domain, const config::Config& config) {
  const auto& own = original.server.postmaster_address;
  if (own && !is_blank(*own)) return *own;
  return "postmaster@" + (domain ? domain->name : config.postal.web_hostname);
}

// `name@domain` as the route has it; of a wildcard the address that the mail was for.
std::string service_address(const Original& original, const store::Domain* domain, const std::string& contact) {
  const auto id = original.message.route_id;
  const store::Route* route = id ? original.directory.route(*id) : nullptr;
  if (route && domain && route->name != "*") return route->name + "@" + domain->name;
  const std::string& recipient = original.message.rcpt_to;
  return envelope_recipient(recipient) && !recipient.starts_with("*@") ? recipient : contact;
}

const store::Domain* domain_of(const Original& original) {
  const auto id = original.message.domain_id;
  return id ? original.directory.domain(*id) : nullptr;
}

mail::Bounce bounce_for(const Original& original, const BounceReason& reason, const config::Config& config, Time now) {
  const store::Domain* domain = domain_of(original);
  mail::Bounce bounce;
  bounce.contact = contact_of(original, domain, config);
  bounce.from = service_address(original, domain, bounce.contact);
  bounce.to = bounce.mail_from = original.message.mail_from;
  bounce.rcpt_to = original.message.rcpt_to;
  bounce.message_id = random_uuid() + "@" + config.dns.return_path_domain;
  bounce.explanation = reason.explanation;
  bounce.date = now;
  bounce.arrival = original.message.timestamp;
  bounce.token = original.message.token + "@" + original.server.token;
  bounce.original_message_id = original.message.message_id;
  bounce.reporting_mta = config.postal.smtp_hostname;
  bounce.status = reason.status;
  bounce.diagnostic = reason.diagnostic;
  bounce.remote_mta = reason.remote_mta;
  bounce.original = original.raw.bytes();
  return bounce;
}

store::Submission submission_of(const Original& original, const mail::Bounce& bounce, Time now) {
  store::Submission submission{
      .server_id = original.server.id,
      .timestamp = now,
      .raw = store::RawMessage(mail::build_bounce(bounce, random_alphanumeric)),
      .messages = {},
  };
  store::NewMessage& message = submission.messages.emplace_back();
  message.token = random_alphanumeric(16);
  message.rcpt_to = bounce.to;
  message.mail_from = bounce.from;
  message.subject = std::string(utf8_prefix(mail::bounce_subject(bounce.original), 200));
  message.message_id = bounce.message_id;
  message.domain_id = original.message.domain_id;
  message.bounce = true;
  message.bounce_for_id = original.message.id;
  return submission;
}

// Waits for the commit. The kinds of failure are those by which the caller's lane knows trouble with the database.
store::Id store_now(store::Store& store, store::Submission submission) {
  std::promise<Result<store::Stored>> answer;
  auto stored = answer.get_future();
  store.accept(std::move(submission), false,
               [&](Result<store::Stored> result) { answer.set_value(std::move(result)); });
  const auto result = stored.get();
  if (result) return result->messages.at(0).message_id;
  const std::string what = "the bounce was not stored: " + result.error().text;
  if (result.error().kind == ErrorKind::Unavailable) throw sql::Failure(sql::FailureKind::Unreachable, what);
  if (result.error().kind == ErrorKind::Limit) throw sql::Failure(sql::FailureKind::Full, what);
  throw std::runtime_error(what);
}

// Looking for earlier bounces and making one belong together; different senders do not wait for each other.
std::mutex& turn_of(std::string_view sender) {
  static std::array<std::mutex, 64> turns;
  return turns[CaseHash{}(sender) % turns.size()];
}

std::optional<store::Id> tell_sender(const Original& original, Tools& tools, const BounceReason& reason) {
  if (!may_be_told(original)) return std::nullopt;
  const store::Message& message = original.message;
  const log::Fields names = {{"message", message.id}, {"server", original.server.id}};
  std::lock_guard turn(turn_of(message.mail_from));
  if (auto made = tools.store.bounce_made_for(original.server.id, message.id)) return made;
  const Time now = tools.clock();
  if (tools.store.bounces_made_since(original.server.id, message.mail_from, now - 1h) >= kMostInAnHour) {
    log::info("worker", "no bounce: this sender has been told often enough within the hour", names);
    return std::nullopt;
  }
  auto submission = submission_of(original, bounce_for(original, reason, tools.config, now), now);
  if (tools.config.postal.use_ip_pools) store::choose_sources(original.directory, submission);
  const store::Id id = store_now(tools.store, std::move(submission));
  log::info("worker", fmt::format("bounce {} made for {}", id, message.mail_from), names);
  return id;
}

std::string one_line(std::string_view text) { return replace_all(replace_all(text, "\r", ""), "\n", " "); }

const store::SmtpEndpoint* smtp_endpoint_of(const Attempt& attempt) {
  return attempt.endpoint_type == "SMTPEndpoint" ? attempt.directory->smtp_endpoint(attempt.endpoint_id) : nullptr;
}

}  // namespace

BounceReason reason_of_verdict(const Attempt& attempt) {
  const policy::Verdict& verdict = *attempt.verdict;
  BounceReason reason{.explanation = {}, .status = "5.0.0", .diagnostic = {}, .remote_mta = {}};
  if (attempt.destination.kind == Destination::Kind::Http) {
    if (verdict.code) reason.diagnostic = fmt::format("X-Postal; HTTP {}", *verdict.code);
    return reason;
  }
  if (const auto* endpoint = smtp_endpoint_of(attempt)) reason.remote_mta = endpoint->hostname;
  if (attempt.no_connection) {
    reason.status = verdict.classification == policy::Class::InvalidDomain ? "5.1.2" : "5.4.0";
    reason.diagnostic = "X-Postal; " + one_line(verdict.details);
    return reason;
  }
  const std::string output = one_line(trim(verdict.output));
  if (!output.empty()) reason.explanation = "The answer of the receiving server was: " + output;
  reason.diagnostic = "smtp; " + output;
  if (auto enhanced = policy::enhanced_code(verdict.code.value_or(0), verdict.output)) reason.status = *enhanced;
  // A report of a failure must not carry the status of a success or of a delay.
  if (!reason.status.starts_with('5')) reason.status = "5.0.0";
  return reason;
}

// 5.2.1: the mailbox exists and takes no messages.
BounceReason reason_of_route() {
  return {.explanation = "This address does not accept mail.",
          .status = "5.2.1",
          .diagnostic = "X-Postal; the route asks for this",
          .remote_mta = {}};
}

BounceReason reason_of_last_attempt(int attempts) {
  return {.explanation = fmt::format("Delivery was tried {} times without success.", attempts),
          .status = "5.4.7",
          .diagnostic = fmt::format("X-Postal; maximum number of delivery attempts ({}) has been reached", attempts),
          .remote_mta = {}};
}

std::optional<store::Id> send_bounce(Attempt& attempt, Tools& tools, const BounceReason& reason) {
  const store::Message& message = attempt.message;
  if (!attempt.raw && !message.raw_table.empty()) attempt.raw = tools.store.raw(attempt.queued().server_id, message);
  if (!attempt.raw) return std::nullopt;
  const bool spam = message.spam || (attempt.inspection && attempt.inspection->spam);
  return tell_sender({message, *attempt.raw, *attempt.server, *attempt.directory, spam}, tools, reason);
}

std::optional<store::Id> send_bounce(const store::Message& message, const store::Server& server,
                                     const store::Directory& directory, Tools& tools, const BounceReason& reason) {
  if (message.raw_table.empty()) return std::nullopt;
  const auto raw = tools.store.raw(server.id, message);
  if (!raw) return std::nullopt;
  return tell_sender({message, *raw, server, directory, message.spam}, tools, reason);
}

}  // namespace posthaste::delivery
