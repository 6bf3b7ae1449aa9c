#include "smtp/client/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/strings.h"

namespace posthaste::smtp::client {

namespace {

constexpr std::size_t kMaxAddress = 254;  // RFC 5321 4.5.3.1.3, without the brackets

// Eight bytes at a time: the whole message is looked through before each transaction.
bool has_eight_bit(std::string_view bytes) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::uint64_t word;
  for (; bytes.size() >= sizeof word; bytes.remove_prefix(sizeof word)) {
    std::memcpy(&word, bytes.data(), sizeof word);
    if (word & kHighBits) return true;
  }
  return !is_ascii(bytes);
}

// Brackets outside of quotes would end the path early and let the rest be read as parameters.
bool bare_bracket(std::string_view address) {
  bool quoted = false;
  for (std::size_t i = 0; i < address.size(); ++i) {
    if (quoted && address[i] == '\\') {
      ++i;
    } else if (address[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && (address[i] == '<' || address[i] == '>')) {
      return true;
    }
  }
  return quoted;
}

bool has_control(std::string_view address) {
  return std::ranges::any_of(address, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; });
}

struct Path {
  std::string address;
  bool international = false;  // the local part is not ASCII
};

Result<Path> path_of(std::string_view address) {
  if (address.size() > kMaxAddress) return fail(ErrorKind::Invalid, "The address is longer than 254 bytes.");
  if (has_control(address)) return fail(ErrorKind::Invalid, "The address contains control characters.");
  if (bare_bracket(address)) return fail(ErrorKind::Invalid, "The address contains unbalanced brackets or quotes.");

  const auto at = address.rfind('@');
  if (at == address.npos) return Path{std::string(address), !is_ascii(address)};
  const auto local = address.substr(0, at);
  const auto domain = address.substr(at + 1);
  if (is_ascii(domain)) return Path{std::string(address), !is_ascii(local)};
  const auto ascii = to_ascii_domain(domain);
  if (!ascii) return fail(ErrorKind::Invalid, "The domain of the address is not valid.");
  return Path{fmt::format("{}@{}", local, *ascii), !is_ascii(local)};
}

std::string parameters(const Content& content, const Capabilities& capabilities, bool smtputf8) {
  std::string out;
  if (capabilities.size) out += fmt::format(" SIZE={}", content.bytes);
  if (capabilities.eight_bit_mime && (content.eight_bit || smtputf8)) out += " BODY=8BITMIME";
  if (smtputf8) out += " SMTPUTF8";
  return out;
}

}  // namespace

Content measure(const std::vector<std::string_view>& pieces) {
  Content content;
  for (auto piece : pieces) {
    content.bytes += piece.size();
    content.eight_bit = content.eight_bit || has_eight_bit(piece);
  }
  return content;
}

Result<TransactionLines> transaction_lines(const Envelope& envelope, const Content& content,
                                           const Capabilities& capabilities) {
  auto from = path_of(envelope.mail_from);
  if (!from) return std::unexpected(std::move(from.error()));
  auto to = path_of(envelope.rcpt_to);
  if (!to) return std::unexpected(std::move(to.error()));
  if (to->address.empty()) return fail(ErrorKind::Invalid, "The recipient's address is empty.");

  const bool smtputf8 = envelope.smtputf8 || from->international || to->international;
  if (smtputf8 && !capabilities.smtputf8) {
    return fail(ErrorKind::Limit,
                "The recipient's mail server does not support internationalized addresses (SMTPUTF8).");
  }
  if (capabilities.max_size > 0 && content.bytes > capabilities.max_size) {
    return fail(ErrorKind::Limit,
                fmt::format("The message is too large for the recipient's mail server ({} bytes, it takes {}).",
                            content.bytes, capabilities.max_size));
  }
  return TransactionLines{fmt::format("MAIL FROM:<{}>{}", from->address, parameters(content, capabilities, smtputf8)),
                          fmt::format("RCPT TO:<{}>", to->address)};
}

}  // namespace posthaste::smtp::client
