#include "delivery/wire.h"

#include "mail/header.h"

namespace posthaste::delivery {

namespace {

constexpr std::string_view kForUs[] = {"X-Postal-Tag", "X-AMP", "X-Postal-Track"};

bool for_us(const mail::HeaderField& field) {
  return std::ranges::any_of(kForUs, [&](auto name) { return field.is(name); });
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
  // Header fields alone, without the empty line that ends them.
  if (raw.headers().size() == bytes.size()) pieces.emplace_back(bytes.ends_with('\n') ? "\r\n" : "\r\n\r\n");
  return pieces;
}

std::string resent_sender(std::string_view mail_from, bool enabled) {
  if (!enabled || mail_from.empty()) return "";
  return "Resent-Sender: " + std::string(mail_from) + "\r\n";
}

}  // namespace posthaste::delivery
