#include "mail/received.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace posthaste::mail {

namespace {

std::string client_part(const Received& r) {
  const std::string ip = r.client.text();
  return fmt::format("from {} ({} [{}{}]) ", r.from, r.client_name.empty() ? ip : r.client_name,
                     r.tagged_ipv6 && r.client.v6 ? "IPv6:" : "", ip);
}

bool word_char(char c) { return c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != ';' && c != '(' && c != ')'; }

std::string_view take_word(std::string_view& rest) {
  std::size_t begin = 0;
  while (begin < rest.size() && !word_char(rest[begin])) ++begin;
  std::size_t end = begin;
  while (end < rest.size() && word_char(rest[end])) ++end;
  const auto word = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return word;
}

}  // namespace

std::string received_field(const Received& r) {
  return fmt::format("Received: {}by {} with {}{}{}; {}\r\n", r.hide_client ? "" : client_part(r), r.by, r.with,
                     r.id.empty() ? "" : " id ", r.id, to_rfc5322(r.time, "-0000"));
}

std::string clean_helo(std::string_view name, bool allow_utf8) {
  const bool utf8 = allow_utf8 && is_utf8(name);
  std::string out;
  for (const char c : name.substr(0, 255)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool printable = byte >= 0x20 && byte < 0x7F;
    const bool special = std::string_view("()<>\\\";").find(c) != std::string_view::npos;
    out += (printable && !special) || (byte >= 0x80 && utf8) ? c : '?';
  }
  if (utf8) out = clean_utf8(out);  // the cut may have gone through a character
  return out.empty() ? "unknown" : out;
}

std::string clean_pointer_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.size() > 255) return {};
  for (const char c : name) {
    const char l = ascii_lower(c);
    if (!((l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.')) return {};
  }
  return std::string(name);
}

bool received_by(std::string_view value, std::string_view host) {
  while (!value.empty())
    if (iequals(take_word(value), "by"))
      if (auto behind = value; iequals(take_word(behind), host)) return true;
  return false;
}

std::optional<ReceivedFrom> received_from(std::string_view value) {
  value = trim(value);
  if (!istarts_with(value, "from ")) return std::nullopt;
  value.remove_prefix(5);
  const auto open = value.find(" ("), bracket = value.find(" ["), close = value.find("])");
  if (close == std::string_view::npos || open > bracket || bracket > close) return std::nullopt;
  auto address = value.substr(bracket + 2, close - bracket - 2);
  if (istarts_with(address, "IPv6:")) address.remove_prefix(5);
  const auto ip = IpAddress::parse(address);
  if (!ip) return std::nullopt;
  ReceivedFrom from{std::string(value.substr(0, open)), std::string(value.substr(open + 2, bracket - open - 2)), *ip};
  if (from.name == ip->text()) from.name.clear();
  return from;
}

}  // namespace posthaste::mail
