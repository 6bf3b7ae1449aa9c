#include "delivery/return_path.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/x509.h>

#include <stdexcept>

#include "base/strings.h"

namespace posthaste::delivery {

namespace {

constexpr std::string_view kAlphabet = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view kEpoch = "1";
constexpr std::size_t kProof = 10;

std::string base32(std::string_view bytes) {
  std::string text;
  std::uint32_t buffer = 0;
  int bits = 0;
  for (unsigned char c : bytes) {
    buffer = (buffer << 8) | c;
    for (bits += 8; bits >= 5; bits -= 5) text.push_back(kAlphabet[(buffer >> (bits - 5)) & 31]);
  }
  if (bits > 0) text.push_back(kAlphabet[(buffer << (5 - bits)) & 31]);
  return text;
}

std::string id_bytes(store::Id id) {
  std::string bytes;
  for (auto rest = std::uint64_t(id); rest > 0; rest >>= 8) bytes.insert(bytes.begin(), char(rest & 0xFF));
  return bytes;
}

std::optional<store::Id> id_of(std::string_view text) {
  std::uint64_t value = 0;
  std::uint32_t buffer = 0;
  int bits = 0;
  if (text.empty() || text.size() > 13) return std::nullopt;
  for (char c : text) {
    const auto at = kAlphabet.find(ascii_lower(c));
    if (at == std::string_view::npos) return std::nullopt;
    buffer = (buffer << 5) | std::uint32_t(at);
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    value = (value << 8) | ((buffer >> bits) & 0xFF);
  }
  return store::Id(value);
}

std::string secret_of(const trust::SigningKey& key) {
  unsigned char* der = nullptr;
  const int length = i2d_PrivateKey(static_cast<EVP_PKEY*>(key.native()), &der);
  if (length <= 0) throw std::runtime_error("the signing key cannot be written as DER");
  std::string bytes(reinterpret_cast<char*>(der), std::size_t(length));
  OPENSSL_clear_free(der, std::size_t(length));
  return bytes;
}

std::string hmac(std::string_view key, std::string_view data) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  HMAC(EVP_sha256(), key.data(), int(key.size()), reinterpret_cast<const unsigned char*>(data.data()), data.size(), out,
       &length);
  return {reinterpret_cast<char*>(out), length};
}

// HKDF (RFC 5869) with SHA-256 for one block: extract with the salt, expand with the info.
std::string hkdf(std::string_view secret, std::string_view salt, std::string_view info) {
  return hmac(hmac(salt, secret), std::string(info) + '\x01');
}

}  // namespace

ReturnTags::ReturnTags(const trust::SigningKey& installation_key) : secret_(secret_of(installation_key)) {}

std::string ReturnTags::proof(std::string_view server_token, const ReturnTag& tag) const {
  const std::string key = hkdf(secret_, server_token, "posthaste return path");
  const std::string mac = hmac(key, tag.kind + std::to_string(tag.message_id) + std::string(kEpoch));
  return base32(mac).substr(0, kProof);
}

std::string ReturnTags::make(std::string_view server_token, const ReturnTag& tag) const {
  return tag.kind + base32(id_bytes(tag.message_id)) + "-" + proof(server_token, tag);
}

std::optional<ReturnTag> ReturnTags::check(std::string_view server_token, std::string_view text) const {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos || dash < 2) return std::nullopt;
  const auto id = id_of(text.substr(1, dash - 1));
  const ReturnTag tag{ascii_lower(text.front()), id.value_or(0)};
  if (!id || (tag.kind != 'b' && tag.kind != 'f')) return std::nullopt;
  if (!constant_time_equal(proof(server_token, tag), to_lower(text.substr(dash + 1)))) return std::nullopt;
  return tag;
}

std::string mail_from(const store::Message& message, const store::Server& server, const store::Domain* domain,
                      const config::Config& config, const ReturnTags* tags) {
  if (message.bounce) return "";
  const bool own = domain && domain->return_path_status == "OK";
  const std::string host =
      own ? config.dns.custom_return_path_prefix + "." + domain->name : config.dns.return_path_domain;
  const std::string tag =
      tags ? "+" + tags->make(server.token, {message.scope == "incoming" ? 'f' : 'b', message.id}) : "";
  return server.token + tag + "@" + host;
}

std::optional<std::string> envelope_recipient(std::string_view rcpt_to) {
  const auto at = rcpt_to.rfind('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == rcpt_to.size() || rcpt_to.size() > 254) return std::nullopt;
  if (rcpt_to.find_first_of(std::string_view("\r\n\0<>", 5)) != std::string_view::npos) return std::nullopt;
  const auto domain = rcpt_to.substr(at + 1);
  if (is_ascii(domain)) return std::string(rcpt_to);
  const auto ascii = to_ascii_domain(domain);
  if (!ascii) return std::nullopt;
  return std::string(rcpt_to.substr(0, at + 1)) + *ascii;
}

}  // namespace posthaste::delivery
