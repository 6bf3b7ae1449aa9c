#include "api/v1/recipients.h"

#include "api/v1/text.h"
#include "base/log.h"
#include "base/random.h"
#include "base/strings.h"
#include "intake/acceptance.h"
#include "mail/address.h"

namespace posthaste::api::v1 {

namespace {

// Same mailbox: exact local part, domain in any case.
std::string identity(std::string_view address) {
  const auto parts = mail::split_address(address);
  return fmt::format("{}@{}", parts.local, to_lower(parts.domain));
}

store::NewMessage new_message(const Call& call, const Outgoing& outgoing, const Recipient& recipient) {
  store::NewMessage message;
  message.scope = store::Scope::Outgoing;
  message.token = random_alphanumeric(16);
  message.rcpt_to = recipient.address;
  message.mail_from = outgoing.mail_from;
  message.tag = outgoing.tag;
  message.domain_id = outgoing.domain_id;
  message.credential_id = call.credential.id;
  message.bounce = outgoing.bounce;
  message.received_with_ssl = true;  // Postal sets it for every message of the API
  return message;
}

store::Submission submission_of(const Call& call, const Outgoing& outgoing, intake::Prepared prepared) {
  std::vector<store::NewMessage> messages;
  for (const auto& recipient : outgoing.recipients) {
    auto message = new_message(call, outgoing, recipient);
    if (message.tag.empty()) message.tag = prepared.tag;
    message.subject = prepared.subject;
    message.message_id = prepared.message_id;
    messages.push_back(std::move(message));
  }
  return {call.server.id, call.now, store::RawMessage(std::move(prepared.raw)), std::move(messages)};
}

// A key that comes twice keeps its place and has the later message.
std::string answer_data(std::string_view message_id, const std::vector<Recipient>& recipients,
                        const std::vector<store::StoredMessage>& stored) {
  std::map<std::string_view, std::size_t> last;
  for (std::size_t i = 0; i < recipients.size(); ++i) last[recipients[i].key] = i;
  auto data = writer();
  data.begin_object().key("message_id");
  message_id.empty() ? data.null() : data.value(message_id);
  data.key("messages").begin_object();
  for (const auto& recipient : recipients) {
    const auto found = last.find(recipient.key);
    if (found == last.end()) continue;
    const auto& message = stored[found->second];
    data.key(recipient.key).begin_object().field("id", message.message_id).field("token", message.token).end_object();
    last.erase(found);
  }
  return data.end_object().end_object().take();
}

Answer refused(const Error& problem) {
  if (problem.temporary()) {
    if (problem.kind != ErrorKind::Unavailable)  // the store says when its database is gone
      log::warn("web-server", "message not stored", {{"error", problem.text}, {"cause", problem.cause}});
    return unavailable();
  }
  Complaints complaints;
  complain(complaints, "base", problem.text);
  return validation_error(complaints);
}

// `12:token 13:token`, of many the first few.
io::HttpHeaders created(const std::vector<store::StoredMessage>& stored) {
  constexpr std::size_t kNamed = 20;
  std::vector<std::string> named;
  for (const auto& message : stored) {
    if (named.size() == kNamed) break;
    named.push_back(fmt::format("{}:{}", message.message_id, message.token));
  }
  return {{"messages", join(named, " ")}, {"count", std::to_string(stored.size())}};
}

}  // namespace

void Recipients::add(std::string_view field, std::string key, std::string address, Complaints& complaints) {
  if (address.empty()) return;
  if (!has_storable_length(address))
    return complain(complaints, field,
                    fmt::format("\"{}\" is too long for an e-mail address", utf8_prefix(address, 100)));
  if (reject_ && !is_deliverable_address(address))
    return complain(complaints, field, fmt::format("\"{}\" is not a valid e-mail address", address));
  if (once_) {
    std::string same = identity(address);
    if (std::ranges::find(seen_, same) != seen_.end()) return duplicates_.push_back(std::move(address));
    seen_.push_back(std::move(same));
  }
  all_.push_back({std::move(key), std::move(address)});
}

io::Task<Answer> store_outgoing(const Call& call, Outgoing outgoing) {
  const std::int64_t limit = call.config().api.max_message_size;
  if (limit > 0 && outgoing.raw.size() > static_cast<std::size_t>(limit))
    co_return error("MessageTooLarge", fmt::format("The message exceeds the maximum size of {} bytes", limit));

  auto prepared =
      intake::prepare_outgoing(std::move(outgoing.raw), call.around.clock, call.config().dns.return_path_domain);
  const std::string message_id = outgoing.recipients.empty() ? std::string() : prepared.message_id;
  std::vector<store::StoredMessage> stored;
  if (!outgoing.recipients.empty()) {
    std::vector<store::Submission> submissions;
    submissions.push_back(submission_of(call, outgoing, std::move(prepared)));
    auto task = call.around.intake.accept(std::move(submissions));
    Result<std::vector<store::Stored>> outcome = co_await std::move(task);
    if (!outcome) co_return refused(outcome.error());
    stored = std::move(outcome->front().messages);
  }
  Answer answer = success(answer_data(message_id, outgoing.recipients, stored));
  answer.flags = outgoing.flags;
  answer.notes = created(stored);
  co_return answer;
}

}  // namespace posthaste::api::v1
