#include "smtp/proto/proxy_header.h"

#include <algorithm>
#include <cstdint>

#include "base/strings.h"

namespace posthaste::smtp::proto {

namespace {

using State = ProxyHeader::State;

constexpr std::string_view kSignature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kMaxLine = 107, kMaxVersion2 = 4096, kHead = 16;
constexpr unsigned char kTypeCrc32c = 0x03, kTypeSsl = 0x20, kClientSsl = 0x01;

unsigned byte_at(std::string_view bytes, std::size_t i) { return static_cast<unsigned char>(bytes[i]); }
std::size_t u16_at(std::string_view bytes, std::size_t i) { return byte_at(bytes, i) << 8 | byte_at(bytes, i + 1); }
std::uint32_t u32_at(std::string_view bytes, std::size_t i) {
  return std::uint32_t(u16_at(bytes, i)) << 16 | std::uint32_t(u16_at(bytes, i + 2));
}

ProxyHeader failed(State state) { return {.state = state}; }

bool is_port(std::string_view text) {
  const auto port = parse_int(text);
  return port && *port >= 0 && *port <= 65535 && text.size() <= 5;
}

// `PROXY TCP4 <client> <server> <port> <port>` or `PROXY UNKNOWN ...`
ProxyHeader parse_line(std::string_view bytes) {
  const auto end = bytes.find('\n');
  if (end == std::string_view::npos) return failed(bytes.size() >= kMaxLine ? State::Error : State::More);
  if (end + 1 > kMaxLine) return failed(State::Error);
  auto line = bytes.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);

  const auto parts = split(line, ' ');
  ProxyHeader header{.state = State::Done, .used = end + 1};
  if (parts.size() >= 2 && parts[0] == "PROXY" && parts[1] == "UNKNOWN") return header;
  if (parts.size() != 6 || parts[0] != "PROXY" || !is_port(parts[4]) || !is_port(parts[5])) return failed(State::Error);
  const bool v6 = parts[1] == "TCP6";
  if (!v6 && parts[1] != "TCP4") return failed(State::Error);

  // `::ffff:a.b.c.d` is folded to IPv4 when parsed, so the text says which family was written.
  const auto fits = [v6](std::string_view text) {
    return IpAddress::parse(text) && (text.find(':') != std::string_view::npos) == v6;
  };
  if (!fits(parts[2]) || !fits(parts[3])) return failed(State::Error);
  header.client = IpAddress::parse(parts[2]);
  return header;
}

std::uint32_t crc32c(std::string_view bytes, std::size_t zero_at) {
  std::uint32_t crc = ~0u;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool zero = i >= zero_at && i < zero_at + 4;  // the checksum's own place counts as zero
    crc ^= zero ? 0 : byte_at(bytes, i);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
  }
  return ~crc;
}

// Walks the extra fields behind the addresses. False if they are broken or the checksum is wrong.
bool read_extras(std::string_view whole, std::size_t at, ProxyHeader& header) {
  while (at < whole.size()) {
    if (whole.size() - at < 3) return false;
    const unsigned type = byte_at(whole, at);
    const std::size_t length = u16_at(whole, at + 1), value = at + 3;
    if (length > whole.size() - value) return false;
    if (type == kTypeCrc32c && (length != 4 || u32_at(whole, value) != crc32c(whole, value))) return false;
    if (type == kTypeSsl && length >= 1) header.tls = byte_at(whole, value) & kClientSsl;
    at = value + length;
  }
  return true;
}

std::optional<IpAddress> address_at(std::string_view bytes, std::size_t at, bool v6) {
  IpAddress address{.v6 = v6};
  for (std::size_t i = 0; i < (v6 ? 16u : 4u); ++i) address.bytes[i] = std::uint8_t(byte_at(bytes, at + i));
  return IpAddress::parse(address.text());  // folds mapped addresses
}

ProxyHeader parse_binary(std::string_view bytes) {
  if (bytes.size() < kHead) return {};
  const unsigned version = byte_at(bytes, 12) >> 4, command = byte_at(bytes, 12) & 15;
  const unsigned family = byte_at(bytes, 13) >> 4, transport = byte_at(bytes, 13) & 15;
  const std::size_t size = kHead + u16_at(bytes, 14);
  if (version != 2 || command > 1 || size > kMaxVersion2) return failed(State::Hostile);
  if (bytes.size() < size) return {};

  const auto whole = bytes.substr(0, size);
  ProxyHeader header{.state = State::Done, .used = size};
  const bool inet = family == 1 || family == 2;
  const std::size_t addresses = family == 1 ? 12 : family == 2 ? 36 : family == 3 ? 216 : 0;
  if (command == 0) return header;
  if (family > 3 || (inet && transport != 1) || size < kHead + addresses) return failed(State::Hostile);
  if (!read_extras(whole, kHead + addresses, header)) return failed(State::Hostile);
  if (inet) header.client = address_at(whole, kHead, family == 2);
  return header;
}

}  // namespace

ProxyHeader parse_proxy_header(std::string_view bytes) {
  if (bytes.empty()) return {};
  const auto seen = bytes.substr(0, kSignature.size());
  if (kSignature.starts_with(seen)) return bytes.size() < kSignature.size() ? ProxyHeader{} : parse_binary(bytes);
  return parse_line(bytes);
}

}  // namespace posthaste::smtp::proto
