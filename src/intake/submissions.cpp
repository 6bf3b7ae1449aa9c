#include "intake/submissions.h"

#include <algorithm>
#include <optional>

#include "base/random.h"
#include "intake/acceptance.h"
#include "mail/header.h"

namespace posthaste::intake {

namespace {

using smtp::server::Recipient;
using smtp::server::Transaction;
using Kind = Recipient::Kind;

constexpr std::size_t kTokenLength = 16;

// The bytes that recipients of one direction share, with what the columns say of them.
struct Content {
  store::RawMessage raw;
  std::string subject, message_id, tag;
};

// The lines in which the worker says what the scanners found: a sender's own would be believed.
const std::vector<std::string> kVerdicts = {"X-Postal-Spam", "X-Postal-Threat"};

Content incoming_content(std::string text) {
  text = mail::without_fields(text, kVerdicts);
  const auto fields = mail::header_fields(text);
  std::string subject = mail::subject_of(fields), message_id = mail::message_id_of(fields);
  return {store::RawMessage(std::move(text)), std::move(subject), std::move(message_id), {}};
}

Content outgoing_content(std::string text, const Clock& clock, std::string_view return_path_domain) {
  auto prepared = prepare_outgoing(std::move(text), clock, return_path_domain);
  return {store::RawMessage(std::move(prepared.raw)), std::move(prepared.subject), std::move(prepared.message_id),
          std::move(prepared.tag)};
}

void set_route(store::NewMessage& message, const store::Route* route) {
  if (!route) return;
  message.route_id = route->id;
  message.domain_id = route->domain_id;
  if (route->mode != "Endpoint") return;
  message.endpoint_type = route->endpoint_type;
  message.endpoint_id = route->endpoint_id;
}

const store::Route* route_of(const Recipient& recipient, const store::Directory& directory) {
  switch (recipient.kind) {
    case Kind::Outgoing:
      break;
    case Kind::Bounce:
      return directory.return_path_route(recipient.server_id);
    case Kind::Route:
      return directory.route(recipient.route_id);
  }
  return nullptr;
}

store::NewMessage message_for(const Recipient& recipient, const Transaction& t, const Content& content) {
  store::NewMessage message;
  message.scope = recipient.kind == Kind::Outgoing ? store::Scope::Outgoing : store::Scope::Incoming;
  message.token = random_alphanumeric(kTokenLength);
  message.rcpt_to = recipient.address;
  message.mail_from = t.mail_from;
  message.subject = content.subject;
  message.message_id = content.message_id;
  message.tag = content.tag;
  message.bounce = recipient.kind == Kind::Bounce;
  if (t.tls) message.received_with_ssl = true;
  if (recipient.kind != Kind::Outgoing) return message;
  message.domain_id = t.domain_id;
  if (t.login) message.credential_id = t.login->credential_id;
  return message;
}

// The recipient's message, and one more for each additional endpoint of its route.
void add_messages(std::vector<store::NewMessage>& all, const Recipient& recipient, const Transaction& t,
                  const Content& content, const store::Directory& directory) {
  const auto* route = route_of(recipient, directory);
  auto message = message_for(recipient, t, content);
  set_route(message, route);
  if (route && route->mode == "Endpoint") {
    auto copy = message;
    all.push_back(std::move(message));
    for (const auto* endpoint : directory.additional_endpoints(route->id)) {
      copy.token = random_alphanumeric(kTokenLength);
      copy.endpoint_type = endpoint->endpoint_type;
      copy.endpoint_id = endpoint->endpoint_id;
      all.push_back(copy);
    }
    return;
  }
  all.push_back(std::move(message));
}

}  // namespace

std::vector<store::Submission> submissions_of(Transaction t, const store::Directory& directory, const Clock& clock,
                                              std::string_view return_path_domain) {
  const auto goes_out = [](const Recipient& r) { return r.kind == Kind::Outgoing; };
  std::optional<Content> outgoing, incoming;
  const bool any_out = std::ranges::any_of(t.recipients, goes_out);
  if (!std::ranges::all_of(t.recipients, goes_out)) incoming = incoming_content(any_out ? t.text : std::move(t.text));
  if (any_out) outgoing = outgoing_content(std::move(t.text), clock, return_path_domain);

  std::vector<store::Submission> all;
  std::vector<bool> directions;
  for (const auto& recipient : t.recipients) {
    if (!directory.server(recipient.server_id)) continue;
    const bool out = goes_out(recipient);
    const Content& content = out ? *outgoing : *incoming;
    std::size_t i = 0;
    while (i < all.size() && (all[i].server_id != recipient.server_id || directions[i] != out)) ++i;
    if (i == all.size()) {
      all.push_back({recipient.server_id, t.time, content.raw, {}});
      directions.push_back(out);
    }
    add_messages(all[i].messages, recipient, t, content, directory);
  }
  return all;
}

}  // namespace posthaste::intake
