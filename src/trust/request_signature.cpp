#include "trust/request_signature.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>
#include <stdexcept>

#include "base/json.h"
#include "base/strings.h"
#include "trust/digest.h"

namespace posthaste::trust {

namespace {

// DER of DigestInfo for SHA-1 up to the digest itself (RFC 8017 9.2, note 1).
constexpr std::string_view kSha1Info("\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14", 15);
constexpr std::size_t kSha1Size = 20;

EVP_PKEY* pkey(const SigningKey& key) { return static_cast<EVP_PKEY*>(key.native()); }

[[noreturn]] void broken(std::string_view what) {
  char text[256] = "";
  if (const auto code = ERR_peek_last_error()) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  throw std::runtime_error(fmt::format("{}: {}", what, text));
}

std::string sha256(std::string_view bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.finish();
}

std::string sha1(std::string_view bytes) {
  std::string digest(kSha1Size, '\0');
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), &size, EVP_sha1(),
                 nullptr) != 1 ||
      size != kSha1Size)
    broken("cannot compute SHA-1");
  return digest;
}

// The private key's operation on finished DigestInfo: without a digest's name, no policy about digests applies.
std::string sign_sha1(const SigningKey& key, std::string_view body) {
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(EVP_PKEY_CTX_new(pkey(key), nullptr),
                                                                            EVP_PKEY_CTX_free);
  const std::string input = std::string(kSha1Info) + sha1(body);
  std::string signature(std::size_t(EVP_PKEY_get_size(pkey(key))), '\0');
  std::size_t size = signature.size();
  if (!context || EVP_PKEY_sign_init(context.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) != 1 ||
      EVP_PKEY_sign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                    reinterpret_cast<const unsigned char*>(input.data()), input.size()) != 1)
    broken("cannot sign");
  signature.resize(size);
  return signature;
}

std::string pkcs1_public(const SigningKey& key) {
  unsigned char* der = nullptr;
  const int size = i2d_PublicKey(pkey(key), &der);
  if (size <= 0) broken("cannot encode a public key");
  std::string bytes(reinterpret_cast<char*>(der), std::size_t(size));
  OPENSSL_free(der);
  return bytes;
}

// A number of the key, big-endian, in base64url without padding (RFC 7518 6.3.1).
std::string number(const SigningKey& key, const char* name) {
  BIGNUM* value = nullptr;
  if (EVP_PKEY_get_bn_param(pkey(key), name, &value) != 1) broken("cannot read a public key");
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> owned(value, BN_free);
  std::string bytes(std::size_t(BN_num_bytes(value)), '\0');
  BN_bn2bin(value, reinterpret_cast<unsigned char*>(bytes.data()));
  std::string text = base64_encode(bytes);
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  std::erase(text, '=');
  return text;
}

}  // namespace

Result<std::unique_ptr<RequestSigner>> RequestSigner::make(SigningKey key) {
  if (key.ed25519()) return fail(ErrorKind::Invalid, "requests can be signed with an RSA key only");
  std::string id = hex_encode(sha256(pkcs1_public(key)));
  return std::unique_ptr<RequestSigner>(new RequestSigner(std::move(key), std::move(id)));
}

RequestSigner::Fields RequestSigner::headers(std::string_view body) {
  Signatures made = signatures(body);
  return {{"X-Postal-Signature-KID", key_id_},
          {"X-Postal-Signature", std::move(made.sha1)},
          {"X-Postal-Signature-256", std::move(made.sha256)}};
}

RequestSigner::Signatures RequestSigner::signatures(std::string_view body) {
  Signatures made{.digest = sha256(body), .sha1 = {}, .sha256 = {}};
  {
    std::lock_guard lock(mutex_);
    if (const auto known = by_digest_.find(made.digest); known != by_digest_.end()) return *known->second;
  }
  made.sha1 = base64_encode(sign_sha1(key_, body));
  made.sha256 = base64_encode(key_.sign(body));
  std::lock_guard lock(mutex_);
  if (by_digest_.contains(made.digest)) return made;  // somebody else was quicker
  kept_.push_front(made);
  by_digest_.emplace(kept_.front().digest, kept_.begin());
  if (kept_.size() > kKept) {
    by_digest_.erase(kept_.back().digest);
    kept_.pop_back();
  }
  return made;
}

std::string RequestSigner::jwks() const {
  JsonWriter json;
  json.begin_object().key("keys").begin_array().begin_object();
  json.field("kty", "RSA")
      .field("n", number(key_, OSSL_PKEY_PARAM_RSA_N))
      .field("e", number(key_, OSSL_PKEY_PARAM_RSA_E));
  json.field("use", "sig").field("alg", "RS256").field("kid", key_id_);
  json.end_object().end_array().end_object();
  return json.take();
}

}  // namespace posthaste::trust
