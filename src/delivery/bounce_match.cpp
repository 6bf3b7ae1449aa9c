#include "delivery/bounce_match.h"

#include "base/log.h"
#include "base/strings.h"
#include "delivery/bounce_message.h"
#include "delivery/measures.h"
#include "delivery/pipeline.h"
#include "delivery/return_path.h"
#include "events/requests.h"
#include "mail/address.h"
#include "mail/delivery_report.h"
#include "mail/header.h"
#include "policy/bounce_class.h"

namespace posthaste::delivery {

namespace {

using Kind = mail::DeliveryReport::Kind;
using policy::BounceClass;

constexpr std::size_t kMostLookedUp = 20;  // tokens of one bounce
constexpr auto kReportsComeWithin = std::chrono::days(30);
constexpr auto kLookAgain = 5s;
constexpr auto kOutcomeComesWithin = 2min;

// A message that the mail is about, and how that was found out.
struct Found {
  store::Message original;
  std::string_view match;
};

bool outgoing(const store::Message& message) { return message.scope == "outgoing"; }

// What stands between `+` and `@`.
std::string_view tag_of(std::string_view address) {
  const auto local = mail::split_address(address).local;
  const auto plus = local.find('+');
  return plus == std::string_view::npos ? std::string_view() : local.substr(plus + 1);
}

class Search {
 public:
  Search(const Attempt& attempt, Tools& tools, const mail::DeliveryReport& report)
      : attempt_(attempt), tools_(tools), report_(report), server_id_(attempt.queued().server_id) {}

  std::vector<Found> run() {
    if (report_.kind == Kind::Feedback) return by_complaint();
    if (tells_of_failure_or_reply()) {
      for (auto look : {&Search::by_tag, &Search::by_envelope_id, &Search::by_returned_token, &Search::by_message_id})
        if (auto found = (this->*look)()) return {std::move(*found)};
    }
    return by_any_token();
  }

 private:
  // Ordinary mail that somebody wrote to a tagged address says nothing of the message's delivery.
  bool tells_of_failure_or_reply() const {
    return report_.kind != Kind::Other || attempt_.message.mail_from.empty() || report_.from_mail_system;
  }

  std::optional<Found> by_tag() { return by_tag_in(attempt_.message.rcpt_to); }

  std::optional<Found> by_tag_in(std::string_view address) {
    const auto* tags = tools_.signer.return_tags();
    const auto tag = tags ? tags->check(attempt_.server->token, tag_of(address)) : std::nullopt;
    if (!tag) return std::nullopt;
    auto message = tools_.store.message(server_id_, tag->message_id);
    const std::string_view scope = tag->kind == 'f' ? "incoming" : "outgoing";
    if (!message || message->scope != scope) return std::nullopt;
    return Found{std::move(*message), "verp"};
  }

  std::optional<Found> by_token(std::string_view token, std::string_view match) {
    auto message = token.empty() ? std::nullopt : tools_.store.message_by_token(server_id_, token);
    if (!message || !outgoing(*message)) return std::nullopt;
    return Found{std::move(*message), match};
  }

  std::optional<Found> by_envelope_id() { return by_token(report_.envelope_id, "envelope-id"); }

  std::optional<Found> by_returned_token() {
    for (const auto& token : mail::tokens_in_headers(report_.returned))
      if (auto found = by_token(token, "msgid")) return found;
    return std::nullopt;
  }

  std::optional<Found> by_message_id() {
    const std::string id = mail::message_id_of(mail::header_fields(report_.returned));
    if (id.empty()) return std::nullopt;
    for (const auto& recipient : report_.recipients) {
      for (const auto* address : {&recipient.final, &recipient.original}) {
        if (address->empty()) continue;
        const Time since = tools_.clock() - kReportsComeWithin;
        if (auto message = tools_.store.sent_message(server_id_, id, *address, since))
          return Found{std::move(*message), "message-id"};
      }
    }
    return std::nullopt;
  }

  // Providers leave recipients out, but return the message as they got it.
  std::vector<Found> by_complaint() {
    std::vector<std::string> addresses{report_.feedback.original_mail_from, attempt_.message.rcpt_to};
    for (const auto& field : mail::header_fields(report_.returned)) {
      if (!field.is("Return-Path") && !field.is("Resent-Sender")) continue;
      if (const auto mailbox = mail::parse_mailbox(mail::unfold(field.value))) addresses.push_back(mailbox->address);
    }
    for (const auto& address : addresses)
      if (auto found = by_tag_in(address); found && outgoing(found->original)) return {std::move(*found)};
    if (auto found = by_returned_token()) return {std::move(*found)};
    return {};
  }

  // The last resort; the bounce's own header only when nothing in its content is known.
  std::vector<Found> by_any_token() {
    std::vector<Found> found;
    std::vector<std::string> tokens = mail::tokens_in_text(attempt_.raw->body());
    for (const auto& text : report_.texts) {
      if (tokens.size() >= kMostLookedUp) break;
      std::ranges::move(mail::tokens_in_text(text), std::back_inserter(tokens));
    }
    tokens.resize(std::min(tokens.size(), kMostLookedUp));
    add_sent(tokens, found);
    if (found.empty()) add_sent(mail::tokens_in_text(attempt_.raw->headers()), found);
    return found;
  }

  void add_sent(const std::vector<std::string>& tokens, std::vector<Found>& found) {
    for (const auto& token : tokens) {
      const auto known = [&](const Found& other) { return iequals(other.original.token, token); };
      if (std::ranges::any_of(found, known)) continue;
      if (auto one = by_token(token, "scan"); one && was_sent(one->original)) found.push_back(std::move(*one));
    }
  }

  // Nobody outside can know the token of a message that never left.
  bool was_sent(const store::Message& message) {
    const auto left = [](std::string_view status) { return status == "Sent" || status == "SoftFail"; };
    if (left(message.status) || message.status == "Bounced" || message.status == "Pending") return true;
    return std::ranges::any_of(tools_.store.deliveries(server_id_, message.id),
                               [&](const store::Delivery& delivery) { return left(delivery.status); });
  }

  const Attempt& attempt_;
  Tools& tools_;
  const mail::DeliveryReport& report_;
  const store::Id server_id_;
};

bool names(const mail::ReportedRecipient& recipient, const store::Message& original) {
  return iequals(recipient.final, original.rcpt_to) || iequals(recipient.original, original.rcpt_to);
}

// The block about this message's recipient. Behind an alias or a forward the address is another one: then the first
// that failed, as our message went to one mailbox only.
mail::ReportedRecipient block_about(const mail::DeliveryReport& report, const store::Message& original) {
  for (const auto& recipient : report.recipients)
    if (names(recipient, original)) return recipient;
  for (const auto& recipient : report.recipients)
    if (policy::failed(policy::classify_bounce(recipient.action, recipient.status, recipient.diagnostic)))
      return recipient;
  return report.recipients.empty() ? mail::ReportedRecipient{} : report.recipients.front();
}

log::Fields names_of(const Attempt& attempt, const store::Message& original) {
  return {{"message", attempt.message.id}, {"server", attempt.queued().server_id}, {"original", original.id}};
}

store::OtherDelivery& add_other(store::Conclusion& conclusion, store::Id id, std::string status, std::string details,
                                Time now) {
  store::OtherDelivery& other = conclusion.others.emplace_back();
  other.message_id = other.delivery.message_id = id;
  other.delivery.status = std::move(status);
  other.delivery.details = std::move(details);
  other.delivery.timestamp = now;
  return other;
}

std::string received_text(store::Id bounce_id) {
  return fmt::format("We've received a bounce message for this e-mail. See <msg:{}> for details.", bounce_id);
}

class Effects {
 public:
  Effects(Attempt& attempt, Tools& tools, const mail::DeliveryReport& report)
      : attempt_(attempt), tools_(tools), report_(report), now_(tools.clock()) {}

  // Draws the consequences; the text is that of the bounce's own delivery.
  std::string apply(const Found& found) {
    if (report_.kind == Kind::Feedback) return apply_complaint(found);
    const auto recipient = block_about(report_, found.original);
    const auto meaning = policy::classify_bounce(recipient.action, recipient.status, recipient.diagnostic);
    const auto report = keep_report(found, recipient, meaning);
    if (policy::failed(meaning)) return apply_failure(found, recipient, meaning, report);
    if (meaning == BounceClass::Delayed) return apply_delay(found);
    return fmt::format("This has been detected as a delivery confirmation for <msg:{}>.", found.original.id);
  }

 private:
  store::BounceReport keep_report(const Found& found, const mail::ReportedRecipient& recipient, BounceClass meaning) {
    store::BounceReport report;
    report.original_id = found.original.id;
    report.type = policy::to_text(meaning);
    report.action = recipient.action;
    report.status = recipient.status;
    report.recipient = recipient.final.empty() ? found.original.rcpt_to : recipient.final;
    report.diagnostic = recipient.diagnostic;
    report.remote_mta = recipient.remote_mta;
    report.match = found.match;
    report.reported_at = now_;
    attempt_.conclusion.reports.push_back(report);
    return report;
  }

  std::string apply_failure(const Found& found, const mail::ReportedRecipient& recipient, BounceClass meaning,
                            const store::BounceReport& report) {
    const store::Message& original = found.original;
    const store::Id server_id = attempt_.queued().server_id;
    auto& conclusion = attempt_.conclusion;
    conclusion.bounce_for_id = original.id;
    conclusion.domain_id = original.domain_id;
    auto& other = add_other(conclusion, original.id, "Bounced", received_text(attempt_.message.id), now_);
    other.delivery.output = recipient.diagnostic;
    if (!tools_.store.reported_since(server_id, attempt_.message.id, report, now_ - 24h)) {
      auto requests = events::bounced_requests(*attempt_.directory, server_id, original, attempt_.message, report);
      std::ranges::move(requests, std::back_inserter(conclusion.requests));
    }
    measures().bounces.add({{"class", report.type}});
    if (meaning == BounceClass::Policy)
      log::warn("worker", "a remote server refused what was sent: " + recipient.diagnostic,
                names_of(attempt_, original));
    if (meaning == BounceClass::Hard) end_attempts(found, recipient);
    if (!outgoing(original)) tell_sender(original, recipient);
    return fmt::format("This has been detected as a bounce message for <msg:{}>.", original.id);
  }

  // The message was delivered; its recipient wants no more of them.
  std::string apply_complaint(const Found& found) {
    const store::Message& original = found.original;
    const store::Id server_id = attempt_.queued().server_id;
    const mail::Feedback& said = report_.feedback;
    store::BounceReport report;
    report.original_id = original.id;
    report.type = "complaint";
    report.action = said.type;
    report.recipient = original.rcpt_to;
    report.match = found.match;
    report.reported_at = now_;
    auto& conclusion = attempt_.conclusion;
    conclusion.reports.push_back(report);
    if (said.type != "not-spam") {
      conclusion.suppress_address = original.rcpt_to;
      conclusion.suppress_reason = "complaint";
      const events::Complaint complaint{said.type, said.user_agent, said.source_ip, said.arrival_date,
                                        said.reported_domain};
      if (!tools_.store.reported_since(server_id, attempt_.message.id, report, now_ - 24h))
        conclusion.requests =
            events::complained_requests(*attempt_.directory, server_id, original, complaint, attempt_.message);
    }
    return fmt::format("This has been detected as a feedback report for <msg:{}>.", original.id);
  }

  // The address is to blame: it is suppressed where we know that the report is about it, and what still waits for the
  // same message goes.
  void end_attempts(const Found& found, const mail::ReportedRecipient& recipient) {
    const store::Message& original = found.original;
    if (!outgoing(original)) return;
    if (original.status == "SoftFail")
      tools_.store.queue_delete(
          {.server_id = attempt_.queued().server_id, .message_id = original.id, .domain = {}, .created_before = {}});
    if (found.match != "verp" && !names(recipient, original)) return;
    attempt_.conclusion.suppress_address = original.rcpt_to;
    attempt_.conclusion.suppress_reason =
        fmt::format("hard bounce ({})", recipient.status.empty() ? "5.0.0" : recipient.status);
  }

  // What we forwarded came back: its sender should hear of it.
  void tell_sender(const store::Message& original, const mail::ReportedRecipient& recipient) {
    BounceReason reason{.explanation = "The server that the mail was forwarded to refused it.",
                        .status = recipient.status.starts_with('5') ? recipient.status : "5.0.0",
                        .diagnostic = recipient.diagnostic.empty() ? "" : "smtp; " + recipient.diagnostic,
                        .remote_mta = recipient.remote_mta};
    send_bounce(original, *attempt_.server, *attempt_.directory, tools_, reason);
  }

  std::string apply_delay(const Found& found) {
    auto& other = add_other(
        attempt_.conclusion, found.original.id, "Processed",
        fmt::format("We've received a delay notice for this e-mail. See <msg:{}> for details.", attempt_.message.id),
        now_);
    other.note = true;
    return fmt::format("This has been detected as a delay notice for <msg:{}>.", found.original.id);
  }

  Attempt& attempt_;
  Tools& tools_;
  const mail::DeliveryReport& report_;
  const Time now_;
};

// A person has had the bounce looked at again.
bool settled_before(const Attempt& attempt, Tools& tools) {
  if (attempt.message.bounce_for_id == 0) return false;
  const std::string details = received_text(attempt.message.id);
  const auto rows = tools.store.deliveries(attempt.queued().server_id, attempt.message.bounce_for_id);
  return std::ranges::any_of(rows, [&](const auto& row) { return row.status == "Bounced" && row.details == details; });
}

// It came back before our own attempt was recorded: its outcome would hide the bounce.
bool outcome_missing(const Attempt& attempt, const Found& found, Time now) {
  return found.original.status == "Pending" && now - attempt.message.timestamp < kOutcomeComesWithin;
}

bool has_route(const Attempt& attempt) {
  return attempt.message.route_id && attempt.directory->route(*attempt.message.route_id);
}

Answer end_unmatched(const Attempt& attempt, const mail::DeliveryReport& report) {
  if (has_route(attempt)) return go_on();
  if (report.kind == Kind::AutoReply) return processed("This has been detected as an automatic reply.");
  return failed(
      "This message was a bounce but we couldn't link it with any outgoing message and there was no route for it.");
}

Answer end_auto_reply(const Attempt& attempt, const Found& found) {
  if (has_route(attempt)) return go_on();
  return processed(fmt::format("This has been detected as an automatic reply to <msg:{}>.", found.original.id));
}

}  // namespace

Answer match_bounce(Attempt& attempt, Tools& tools) {
  if (!attempt.message.bounce) return go_on();
  if (settled_before(attempt, tools)) return done();
  const auto report = mail::read_delivery_report(attempt.raw->bytes());
  const auto found = Search(attempt, tools, report).run();
  if (found.empty()) return end_unmatched(attempt, report);
  const Time now = tools.clock();
  for (const Found& one : found)
    if (outcome_missing(attempt, one, now)) return {Answer::Kind::Retry, {}, now + kLookAgain};
  if (report.kind == Kind::AutoReply) return end_auto_reply(attempt, found.front());
  Effects effects(attempt, tools, report);
  std::string details;
  for (const Found& one : found) {
    if (!details.empty()) add_other(attempt.conclusion, attempt.message.id, "Processed", details, now);
    details = effects.apply(one);
    log::info("worker", details, names_of(attempt, one.original));
  }
  return processed(std::move(details));
}

}  // namespace posthaste::delivery
