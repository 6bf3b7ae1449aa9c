// Header fields as the API shows them.
#include <algorithm>
#include <array>

#include "base/strings.h"
#include "mail/address.h"
#include "mail/content.h"
#include "mail/date.h"
#include "mail/header.h"

namespace posthaste::mail {

namespace {

constexpr std::string_view kWellKnown[] = {"return-path",
                                           "received",
                                           "resent-date",
                                           "resent-from",
                                           "resent-sender",
                                           "resent-to",
                                           "resent-cc",
                                           "resent-bcc",
                                           "resent-message-id",
                                           "date",
                                           "from",
                                           "sender",
                                           "reply-to",
                                           "to",
                                           "cc",
                                           "bcc",
                                           "message-id",
                                           "in-reply-to",
                                           "references",
                                           "subject",
                                           "comments",
                                           "keywords",
                                           "mime-version",
                                           "content-type",
                                           "content-transfer-encoding",
                                           "content-location",
                                           "content-disposition",
                                           "content-description"};
constexpr std::string_view kRepeatable[] = {"received", "comments", "keywords"};
constexpr std::string_view kAddresses[] = {"from",        "sender",        "reply-to",  "to",        "cc",        "bcc",
                                           "resent-from", "resent-sender", "resent-to", "resent-cc", "resent-bcc"};
constexpr std::string_view kIdLists[] = {"in-reply-to", "references"};
constexpr std::string_view kStructured[] = {"content-type", "content-disposition"};

constexpr std::size_t kMaxValue = 64 * 1024;  // of what is shown of a field

bool among(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool needs_quotes(std::string_view name) {
  return std::ranges::any_of(name, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte >= 0x7F || std::string_view("()<>[]:;@\\,.\"").contains(c);
  });
}

std::string rendered(const Mailbox& mailbox) {
  if (mailbox.name.empty()) return mailbox.address;
  if (!needs_quotes(mailbox.name)) return fmt::format("{} <{}>", mailbox.name, mailbox.address);
  const std::string escaped = replace_all(replace_all(mailbox.name, "\\", "\\\\"), "\"", "\\\"");
  return fmt::format("\"{}\" <{}>", escaped, mailbox.address);
}

// A field with comments or groups stays as it stands: rendering it anew would lose them. A group without members says
// nothing.
std::string address_value(std::string_view value) {
  const std::string text = unfold(value);
  const auto mailboxes = parse_address_list(value);
  if (mailboxes && mailboxes->empty()) return {};
  if (!mailboxes || text.find_first_of("(;") != std::string::npos) return decode_text(value);
  std::vector<std::string> parts;
  for (const auto& mailbox : *mailboxes) parts.push_back(clean_utf8(rendered(mailbox)));
  return join(parts, ", ");
}

std::vector<std::string_view> ids_of(std::string_view text) {
  std::vector<std::string_view> ids;
  while (!text.empty()) {
    const auto start = text.find_first_not_of(" \t\r\n,");
    if (start == std::string_view::npos) break;
    text.remove_prefix(start);
    const bool bracketed = text.starts_with('<');
    if (bracketed) text.remove_prefix(1);
    const auto end = std::min(text.find_first_of(bracketed ? ">" : " \t\r\n,<"), text.size());
    if (end > 0) ids.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + (bracketed ? 1 : 0), text.size()));
  }
  return ids;
}

std::string id_list(std::string_view value, bool only_first) {
  std::string out;
  const std::string text = unfold(value);
  for (auto id : ids_of(text)) {
    out += fmt::format("{}<{}>", out.empty() ? "" : " ", id);
    if (only_first) break;
  }
  return clean_utf8(out);
}

// `multipart/mixed;\r\n boundary=b` reads `multipart/mixed; boundary="b"` when it comes from Postal's library.
std::string structured_value(std::string_view value) {
  std::string out;
  bool quoted = false;
  for (char c : unfold(value)) {
    if (c == '"') quoted = !quoted;
    const bool blank = c == ' ' || c == '\t';
    if (!quoted && blank && (out.empty() || out.back() == ' ')) continue;
    out += blank && !quoted ? ' ' : c;
  }
  return decode_text(out);
}

std::string date_value(std::string_view value) {
  const auto date = parse_date(value);
  return date ? to_text(*date) : decode_text(value);
}

// Nothing for an empty field.
std::optional<std::string> value_of(std::string_view name, std::string_view value) {
  if (is_blank(value)) return std::nullopt;
  value = value.substr(0, kMaxValue);
  if (among(kAddresses, name)) return address_value(value);
  if (among(kIdLists, name)) return id_list(value, false);
  if (name == "date" || name == "resent-date") return date_value(value);
  if (name == "message-id") return id_list(value, true);
  if (among(kStructured, name)) return structured_value(value);
  return decode_text(value);
}

}  // namespace

HeaderMap header_map(std::string_view message) {
  HeaderMap known, others;
  for (auto name : kWellKnown) known.push_back({std::string(name), {}});
  for (const auto& field : header_fields(message)) {
    const std::string name = to_lower(field.name);
    auto& map = among(kWellKnown, name) ? known : others;
    auto entry = std::ranges::find_if(map, [&](const auto& item) { return item.first == name; });
    if (entry == map.end()) entry = map.insert(map.end(), {name, {}});
    if (&map == &known && !among(kRepeatable, name)) entry->second.clear();
    entry->second.push_back(value_of(name, field.value));
  }
  std::erase_if(known, [](const auto& item) { return item.second.empty(); });
  known.insert(known.end(), std::make_move_iterator(others.begin()), std::make_move_iterator(others.end()));
  return known;
}

std::optional<std::string> last_value(const std::vector<HeaderField>& fields, std::string_view name) {
  const HeaderField* field = last_field(fields, name);
  return field ? value_of(name, field->value) : std::nullopt;
}

}  // namespace posthaste::mail
