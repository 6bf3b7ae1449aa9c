#include "api/v1/sender.h"

#include "api/v1/text.h"
#include "base/strings.h"
#include "intake/sender_check.h"
#include "mail/address.h"

namespace posthaste::api::v1 {

namespace {

std::vector<mail::Mailbox> mailboxes_of(const std::vector<mail::HeaderField>& fields, std::string_view name) {
  const auto* field = mail::last_field(fields, name);
  return field ? mail::parse_address_list(field->value).value_or(std::vector<mail::Mailbox>{})
               : std::vector<mail::Mailbox>{};
}

}  // namespace

std::optional<AuthorisedSender> authorise_sender(const store::Directory& directory, const store::Server& server,
                                                 const std::vector<mail::HeaderField>& fields) {
  const auto from = mailboxes_of(fields, "From");
  if (from.empty()) return std::nullopt;
  const auto domain = intake::authenticate_sender(directory, server, fields);
  if (!domain) return std::nullopt;
  const auto sender = mailboxes_of(fields, "Sender");
  const bool from_sender = from.size() > 1 && server.allow_sender && sender.size() == 1;
  return AuthorisedSender{(*domain)->id,
                          with_ascii_domain(from_sender ? sender.front().address : from.front().address)};
}

std::optional<AuthorisedSender> authorise_sender(const store::Directory& directory, const store::Server& server,
                                                 std::string_view from, std::string_view sender) {
  std::vector<mail::HeaderField> fields{{"From", from, from}};
  if (!is_blank(sender)) fields.push_back({"Sender", sender, sender});
  const bool several = mailboxes_of(fields, "From").size() > 1;
  if (several && mailboxes_of(fields, "Sender").size() != 1) return std::nullopt;
  return authorise_sender(directory, server, fields);
}

}  // namespace posthaste::api::v1
