#include "delivery/wire.h"

#include "mail/header.h"

namespace posthaste::delivery {

namespace {

constexpr std::string_view kForUs[] = {"X-Postal-Tag", "X-AMP", "X-Postal-Track"};

bool for_us(const mail::HeaderField& field) {
  return std::ranges::any_of(kForUs, [&](auto name) { return field.is(name); });
}

// The empty line behind header fields that stand alone, or the end of the last line: it goes over the wire in any case,
// so SIZE= has to count it.
std::string_view missing_end(const store::RawMessage& raw) {
  const std::string_view bytes = raw.bytes();
  if (raw.headers().size() == bytes.size()) return bytes.ends_with('\n') ? "\r\n" : "\r\n\r\n";
  if (bytes.ends_with('\n')) return "";
  return bytes.ends_with('\r') ? "\n" : "\r\n";
}

}  // namespace

std::vector<std::string_view> wire_pieces(const std::string& front, const store::RawMessage& raw) {
  std::vector<std::string_view> pieces;
  if (!front.empty()) pieces.emplace_back(front);

  const std::string_view bytes = raw.bytes();
  std::size_t from = 0;
  for (const auto& field : mail::header_fields(bytes)) {
    if (!for_us(field)) continue;
    const auto at = std::size_t(field.whole.data() - bytes.data());
    if (at > from) pieces.push_back(bytes.substr(from, at - from));
    from = at + field.whole.size();
  }
  if (from < bytes.size()) pieces.push_back(bytes.substr(from));
  const std::string_view ending = missing_end(raw);
  if (!ending.empty()) pieces.push_back(ending);
  return pieces;
}

std::string resent_sender(std::string_view mail_from, bool enabled) {
  if (!enabled || mail_from.empty()) return "";
  return "Resent-Sender: " + std::string(mail_from) + "\r\n";
}

}  // namespace posthaste::delivery
