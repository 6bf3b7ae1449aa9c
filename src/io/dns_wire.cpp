#include "io/dns_wire.h"

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace posthaste::io {
namespace {

void append_label(std::string& name, std::string_view label) {
  if (!name.empty()) name += '.';
  for (const char c : label) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte >= 0x7f || c == '.' || c == '\\') {
      name += fmt::format("\\{:03}", byte);
    } else {
      name += ascii_lower(c);
    }
  }
}

// Reads a packet front to back; after a failure everything fails.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::string_view take(std::size_t count) {
    if (count > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::uint32_t number(std::size_t bytes) {
    std::uint32_t value = 0;
    for (const char c : take(bytes)) value = value << 8 | static_cast<unsigned char>(c);
    return value;
  }
  // A name ends with the root or with a pointer to elsewhere.
  void skip_name() {
    while (!failed_) {
      const std::uint32_t length = number(1);
      if (length == 0) return;
      if (length >= 0xc0) {
        (void)take(1);
        return;
      }
      (void)take(length);
    }
  }
  bool failed() const { return failed_; }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace

std::optional<std::string> parse_name(std::string_view rdata) {
  std::string name;
  while (!rdata.empty()) {
    const auto length = static_cast<unsigned char>(rdata.front());
    if (length == 0) return rdata.size() == 1 ? std::optional(name) : std::nullopt;
    if (length > 63 || rdata.size() < 1u + length) return std::nullopt;
    append_label(name, rdata.substr(1, length));
    rdata.remove_prefix(1u + length);
  }
  return std::nullopt;
}

std::optional<MxRecord> parse_mx(std::string_view rdata) {
  if (rdata.size() < 3) return std::nullopt;
  auto host = parse_name(rdata.substr(2));
  if (!host) return std::nullopt;
  const auto high = static_cast<unsigned char>(rdata[0]);
  const auto low = static_cast<unsigned char>(rdata[1]);
  return MxRecord{static_cast<std::uint16_t>(high << 8 | low), std::move(*host)};
}

std::optional<std::string> parse_txt(std::string_view rdata) {
  std::string text;
  while (!rdata.empty()) {
    const auto length = static_cast<unsigned char>(rdata.front());
    if (rdata.size() < 1u + length) return std::nullopt;
    text += rdata.substr(1, length);
    rdata.remove_prefix(1u + length);
  }
  return text;
}

std::optional<IpAddress> parse_address(std::string_view rdata) {
  if (rdata.size() != 4 && rdata.size() != 16) return std::nullopt;
  IpAddress address;
  address.v6 = rdata.size() == 16;
  std::ranges::transform(rdata, address.bytes.begin(), [](char c) { return static_cast<std::uint8_t>(c); });
  return address;
}

std::optional<std::chrono::seconds> negative_ttl(std::string_view packet) {
  Reader reader(packet);
  (void)reader.take(4);
  std::array<std::uint32_t, 4> counts{};
  for (auto& count : counts) count = reader.number(2);
  for (std::uint32_t i = 0; i < counts[0] && !reader.failed(); ++i) {
    reader.skip_name();
    (void)reader.take(4);
  }
  const std::uint32_t records = counts[1] + counts[2];
  for (std::uint32_t i = 0; i < records && !reader.failed(); ++i) {
    reader.skip_name();
    const std::uint32_t type = reader.number(2);
    (void)reader.take(2);
    const std::uint32_t ttl = reader.number(4);
    const std::string_view rdata = reader.take(reader.number(2));
    if (type != dns_type::kSoa || reader.failed() || rdata.size() < 20) continue;
    Reader minimum(rdata.substr(rdata.size() - 4));
    return std::chrono::seconds(std::min(ttl, minimum.number(4)));
  }
  return std::nullopt;
}

}  // namespace posthaste::io
