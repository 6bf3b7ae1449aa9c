#include "api/v1/text.h"

#include "base/strings.h"
#include "mail/address.h"

namespace posthaste::api::v1 {

namespace {

constexpr std::string_view kUnicodeSpaces[] = {
    "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82", "\xE2\x80\x83",
    "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A",
    "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};

std::string strip_line(std::string_view line) {
  if (const auto open = line.rfind('<'); open != std::string_view::npos) line.remove_prefix(open + 1);
  return std::string(line.substr(0, line.find('>')));
}

// Comments with something in them, the shortest first: `(a)`, but not `()`.
std::string without_comments(std::string text) {
  for (std::size_t open = text.find('('); open != std::string::npos; open = text.find('(', open)) {
    const auto close = text.find(')', open + 2);
    if (close == std::string::npos) break;
    text.erase(open, close - open + 1);
  }
  return text;
}

}  // namespace

bool is_unicode_blank(std::string_view text) {
  while (!text.empty()) {
    const auto rest = trim(text);
    if (rest.empty()) return true;
    const auto found = std::ranges::find_if(kUnicodeSpaces, [&](auto space) { return rest.starts_with(space); });
    if (found == std::end(kUnicodeSpaces)) return false;
    text = rest.substr(found->size());
  }
  return true;
}

std::string strip_address(std::string_view text) {
  std::vector<std::string> lines;
  for (auto line : split(text, '\n')) lines.push_back(strip_line(line));
  return std::string(trim(without_comments(join(lines, "\n"))));
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  for (auto part : split(text, ',')) {
    if (!items.empty())
      while (!part.empty() && is_blank(part.substr(0, 1))) part.remove_prefix(1);
    items.emplace_back(part);
  }
  while (!items.empty() && items.back().empty()) items.pop_back();
  return items;
}

bool has_storable_length(std::string_view address) { return address.size() <= 254; }

bool is_deliverable_address(std::string_view address) {
  // RFC 5321 4.5.3.1.1
  if (!has_storable_length(address) || mail::split_address(address).local.size() > 64) return false;
  const auto mailbox = mail::parse_mailbox(address);
  if (!mailbox || mailbox->domain.empty() || !mailbox->name.empty()) return false;
  const auto domain = to_ascii_domain(mailbox->domain);
  if (!domain || domain->empty() || domain->size() > 253) return false;
  return std::ranges::all_of(split(*domain, '.'), [](auto label) { return !label.empty() && label.size() <= 63; });
}

std::string with_ascii_domain(std::string_view address) {
  const auto parts = mail::split_address(address);
  if (parts.domain.empty() || is_ascii(parts.domain)) return std::string(address);
  const auto domain = to_ascii_domain(parts.domain);
  return domain ? fmt::format("{}@{}", parts.local, *domain) : std::string(address);
}

}  // namespace posthaste::api::v1
