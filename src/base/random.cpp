#include "base/random.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <string_view>

#include "base/strings.h"

namespace posthaste {

namespace {

constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kAlphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view kUpperAlphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::string_view kLowerAlphanumeric = "abcdefghijklmnopqrstuvwxyz0123456789";

// Bytes are drawn from the system in blocks: one call serves a dozen tokens.
class Source {
 public:
  unsigned char next() {
    if (used_ == sizeof(block_)) {
      random_bytes(block_);
      used_ = 0;
    }
    return block_[used_++];
  }

 private:
  unsigned char block_[256];
  std::size_t used_ = sizeof(block_);
};

std::string draw(std::size_t length, std::string_view alphabet) {
  thread_local Source source;
  const unsigned limit = 256 - 256 % unsigned(alphabet.size());  // above it a byte would favour the first letters
  std::string out;
  out.reserve(length);
  while (out.size() < length) {
    const unsigned byte = source.next();
    if (byte < limit) out += alphabet[byte % alphabet.size()];
  }
  return out;
}

}  // namespace

void random_bytes(std::span<unsigned char> into) {
  while (!into.empty()) {
    const ssize_t got = getrandom(into.data(), into.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw std::runtime_error("getrandom failed");
    into = into.subspan(std::size_t(got));
  }
}

std::uint64_t random_u64() {
  std::uint64_t value;
  random_bytes({reinterpret_cast<unsigned char*>(&value), sizeof value});
  return value;
}

std::uint64_t random_below(std::uint64_t below) {
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % below;
  for (;;) {
    const std::uint64_t value = random_u64();
    if (value < limit) return value % below;
  }
}

std::string random_alphanumeric(std::size_t length) { return draw(length, kAlphanumeric); }
std::string random_upper_alphanumeric(std::size_t length) { return draw(length, kUpperAlphanumeric); }
std::string random_hex(std::size_t digits) { return draw(digits, "0123456789abcdef"); }

std::string random_uuid() {
  std::array<unsigned char, 16> bytes;
  random_bytes(bytes);
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const std::string hex = hex_encode({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  return hex.substr(0, 8) + '-' + hex.substr(8, 4) + '-' + hex.substr(12, 4) + '-' + hex.substr(16, 4) + '-' +
         hex.substr(20);
}

std::string random_server_token() { return draw(1, kLower) + draw(4, kLowerAlphanumeric) + draw(1, kLower); }

std::string random_identifier(std::size_t length) {
  return draw(1, kLetters) + draw(length - 2, kAlphanumeric) + draw(1, kLetters);
}

}  // namespace posthaste
