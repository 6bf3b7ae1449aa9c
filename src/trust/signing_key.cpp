#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "base/strings.h"
#include "trust/digest.h"
#include "trust/dkim.h"

namespace posthaste::trust {

namespace {

constexpr std::size_t kMaxKeyFile = 64 * 1024;

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free_all)>;
using ContextPtr = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

EVP_PKEY* pkey(const SigningKey& key) { return static_cast<EVP_PKEY*>(key.native()); }

std::string library_error() {
  const auto code = ERR_peek_last_error();
  ERR_clear_error();
  if (code == 0) return "";
  char text[256];
  ERR_error_string_n(code, text, sizeof text);
  return text;
}

[[noreturn]] void broken(std::string_view what) {
  throw std::runtime_error(fmt::format("{}: {}", what, library_error()));
}

// Without one of our own, the library asks the terminal for the passphrase of an encrypted key.
int no_passphrase(char*, int, int, void*) { return 0; }

std::string rsa_public(EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) broken("cannot encode a public key");
  std::string bytes(reinterpret_cast<char*>(der), std::size_t(size));
  OPENSSL_free(der);
  return bytes;
}

std::string ed25519_public(EVP_PKEY* key) {
  std::string bytes(32, '\0');
  std::size_t size = bytes.size();
  if (EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(bytes.data()), &size) != 1 || size != 32) {
    broken("cannot read a public key");
  }
  return bytes;
}

}  // namespace

Result<SigningKey> SigningKey::from_pem(std::string_view pem) {
  if (pem.size() > kMaxKeyFile) return fail(ErrorKind::Invalid, "the private key is too large");
  BioPtr bio(BIO_new_mem_buf(pem.data(), int(pem.size())), BIO_free_all);
  EVP_PKEY* parsed = PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr);
  if (!parsed) return fail(ErrorKind::Invalid, "not a private key in PEM form", library_error());

  SigningKey key;
  key.key_ = std::shared_ptr<void>(parsed, [](void* p) { EVP_PKEY_free(static_cast<EVP_PKEY*>(p)); });
  const int type = EVP_PKEY_get_base_id(parsed);
  if (type != EVP_PKEY_RSA && type != EVP_PKEY_ED25519) {
    return fail(ErrorKind::Invalid, "the private key is neither RSA nor Ed25519");
  }
  return key;
}

Result<SigningKey> SigningKey::from_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorKind::NotFound, "cannot read " + path, std::strerror(errno));
  std::string pem(kMaxKeyFile + 1, '\0');
  file.read(pem.data(), std::streamsize(pem.size()));
  if (file.bad()) return fail(ErrorKind::Invalid, "cannot read " + path, std::strerror(errno));
  pem.resize(std::size_t(file.gcount()));

  auto key = from_pem(pem);
  if (!key) return fail(key.error().kind, path + ": " + key.error().text, key.error().cause);
  return key;
}

std::string SigningKey::generate_rsa_pem(int bits) {
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_RSA_gen(unsigned(bits)), EVP_PKEY_free);
  if (!key) broken("cannot make an RSA key");
  BioPtr bio(BIO_new(BIO_s_mem()), BIO_free_all);
  if (PEM_write_bio_PrivateKey_traditional(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    broken("cannot write an RSA key");
  }
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return std::string(bytes, std::size_t(size));
}

bool SigningKey::ed25519() const { return EVP_PKEY_get_base_id(pkey(*this)) == EVP_PKEY_ED25519; }

int SigningKey::bits() const { return EVP_PKEY_get_bits(pkey(*this)); }

std::string SigningKey::public_base64() const {
  return base64_encode(ed25519() ? ed25519_public(pkey(*this)) : rsa_public(pkey(*this)));
}

std::string SigningKey::record() const {
  return fmt::format("v=DKIM1; t=s; h=sha256;{} p={};", ed25519() ? " k=ed25519;" : "", public_base64());
}

std::string SigningKey::sign(std::string_view data) const {
  std::string input(data);
  if (ed25519()) {
    Sha256 digest;  // RFC 8463 section 3: PureEdDSA over the hash
    digest.update(data);
    input = digest.finish();
  }
  ContextPtr context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::string signature(std::size_t(EVP_PKEY_get_size(pkey(*this))), '\0');
  std::size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, ed25519() ? nullptr : EVP_sha256(), nullptr, pkey(*this)) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     reinterpret_cast<const unsigned char*>(input.data()), input.size()) != 1) {
    broken("cannot sign");
  }
  signature.resize(size);
  return signature;
}

}  // namespace posthaste::trust
