#include "intake/sender_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "mail/address.h"

namespace posthaste::intake {

namespace {

using Verdict = std::expected<const store::Domain*, std::string>;

// A host name and nothing else: with use_for_any nothing further is asked of it.
bool is_host_name(std::string_view domain) {
  return !domain.empty() && domain.size() <= 255 && std::ranges::all_of(domain, [](char c) {
    const char l = ascii_lower(c);
    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

Verdict domain_of(const store::Directory& directory, const store::Server& server, std::string_view typed) {
  const auto ascii = to_ascii_domain(typed);
  if (!ascii || !is_host_name(*ascii)) return std::unexpected(fmt::format("domain {} is not valid", clean_utf8(typed)));
  const auto* domain = directory.sending_domain(server, to_lower(*ascii));
  if (!domain) return std::unexpected(fmt::format("domain {} is not verified for this server", to_lower(*ascii)));
  return domain;
}

Verdict check_mailbox(const store::Directory& directory, const store::Server& server, const mail::Mailbox& box) {
  auto verdict = domain_of(directory, server, box.domain);
  if (!verdict || !box.ambiguous) return verdict;
  // `a@x.test <b@y.test>`: some readers show the one, some the other.
  const auto shown = std::string_view(box.name).substr(0, box.name.find(' '));
  const auto second = domain_of(directory, server, mail::split_address(shown).domain);
  return second ? verdict : second;
}

Verdict check_header(const store::Directory& directory, const store::Server& server,
                     const std::vector<mail::HeaderField>& fields, std::string_view name, std::size_t most) {
  const store::Domain* first = nullptr;
  bool found = false;
  for (const auto& field : fields) {
    if (!field.is(name)) continue;
    found = true;
    const auto list = mail::parse_address_list(field.value);
    if (!list) return std::unexpected(fmt::format("{} header cannot be understood", name));
    if (list->empty()) return std::unexpected(fmt::format("{} header has no address", name));
    if (list->size() > most) return std::unexpected(fmt::format("{} header has several addresses", name));
    for (const auto& box : *list) {
      const auto verdict = check_mailbox(directory, server, box);
      if (!verdict) return verdict;
      if (!first) first = *verdict;
    }
  }
  if (!found) return std::unexpected(fmt::format("{} header missing", name));
  return first;
}

}  // namespace

std::expected<const store::Domain*, std::string> authenticate_sender(const store::Directory& directory,
                                                                     const store::Server& server,
                                                                     const std::vector<mail::HeaderField>& fields) {
  auto from = check_header(directory, server, fields, "From", mail::kMaxHeaderFields * 10);
  if (from || !server.allow_sender) return from;
  if (auto sender = check_header(directory, server, fields, "Sender", 1)) return sender;
  return from;
}

bool from_fields_differ(const std::vector<mail::HeaderField>& fields) {
  const auto addresses = [](const mail::HeaderField& field) {
    std::vector<std::string> found;
    for (const auto& box : mail::parse_address_list(field.value).value_or(std::vector<mail::Mailbox>{}))
      found.push_back(to_lower(box.address));
    std::ranges::sort(found);
    return found;
  };
  std::optional<std::vector<std::string>> first;
  for (const auto& field : fields) {
    if (!field.is("From")) continue;
    if (!first) {
      first = addresses(field);
    } else if (addresses(field) != *first) {
      return true;
    }
  }
  return false;
}

}  // namespace posthaste::intake
