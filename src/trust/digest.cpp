#include "trust/digest.h"

#include <openssl/evp.h>

#include <cstring>
#include <stdexcept>

namespace posthaste::trust {

namespace {

EVP_MD_CTX* native(const std::shared_ptr<void>& context) { return static_cast<EVP_MD_CTX*>(context.get()); }

void require(int ok) {
  if (ok != 1) throw std::runtime_error("OpenSSL cannot compute SHA-256");
}

}  // namespace

Sha256::Sha256() : context_(EVP_MD_CTX_new(), [](void* c) { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(c)); }) {
  require(EVP_DigestInit_ex(native(context_), EVP_sha256(), nullptr));
}

void Sha256::update(std::string_view bytes) {
  if (bytes.size() > kSmall) {
    flush();
    require(EVP_DigestUpdate(native(context_), bytes.data(), bytes.size()));
    return;
  }
  if (used_ + bytes.size() > kGather) flush();
  std::memcpy(gathered_.data() + used_, bytes.data(), bytes.size());
  used_ += bytes.size();
}

std::string Sha256::finish() {
  flush();
  std::string hash(32, '\0');
  require(EVP_DigestFinal_ex(native(context_), reinterpret_cast<unsigned char*>(hash.data()), nullptr));
  return hash;
}

void Sha256::flush() {
  if (used_ > 0) require(EVP_DigestUpdate(native(context_), gathered_.data(), used_));
  used_ = 0;
}

}  // namespace posthaste::trust
