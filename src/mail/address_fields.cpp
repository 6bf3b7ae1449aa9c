#include "mail/address_fields.h"

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace posthaste::mail {

namespace {

constexpr std::size_t kMostNesting = 1000;  // of groups, comments and routes in one field
constexpr std::array<std::string_view, 12> kFields = {
    "from",        "sender",        "reply-to",        "to",        "cc",        "bcc",
    "resent-from", "resent-sender", "resent-reply-to", "resent-to", "resent-cc", "resent-bcc"};

bool is_address_field(std::string_view line) {
  const auto colon = line.substr(0, 64).find(':');
  return colon != line.npos &&
         std::ranges::any_of(kFields, [&](auto name) { return iequals(trim(line.substr(0, colon)), name); });
}

std::size_t line_end(std::string_view text, std::size_t at) {
  const auto end = text.find('\n', at);
  return end == text.npos ? text.size() : end + 1;
}

// The field that begins there, with its folded lines.
std::size_t field_end(std::string_view text, std::size_t at) {
  at = line_end(text, at);
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) at = line_end(text, at);
  return at;
}

bool nests(char c) { return c == ':' || c == '(' || c == '<'; }

}  // namespace

std::optional<std::string> without_deep_addresses(std::string_view message) {
  std::optional<std::string> changed;
  for (std::size_t at = 0; at < message.size();) {
    if (!is_address_field(message.substr(at, line_end(message, at) - at))) {
      at = line_end(message, at);
      continue;
    }
    const std::size_t end = field_end(message, at);
    const auto field = message.substr(at, end - at);
    if (std::size_t(std::ranges::count_if(field, nests)) > kMostNesting) {
      if (!changed) changed.emplace(message);
      for (std::size_t i = at + field.find(':') + 1; i < end; ++i)
        if ((*changed)[i] != '\r' && (*changed)[i] != '\n') (*changed)[i] = ' ';
    }
    at = end;
  }
  return changed;
}

}  // namespace posthaste::mail
