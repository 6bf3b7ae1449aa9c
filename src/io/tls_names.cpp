#include "io/tls_names.h"

#include <openssl/x509v3.h>

#include <stdexcept>

#include "base/strings.h"

namespace posthaste::io {

namespace {

// A place at every SSL_CTX for its names, which go when it goes.
int names_index() {
  static const int index = SSL_CTX_get_ex_new_index(
      0, nullptr, nullptr, nullptr,
      [](void*, void* names, CRYPTO_EX_DATA*, int, long, void*) { delete static_cast<TlsNames*>(names); });
  return index;
}

// What the client did not ask for by a name that is known gets the default certificate: never a refusal.
int choose(SSL* session, int*, void* names) {
  const char* asked = SSL_get_servername(session, TLSEXT_NAMETYPE_host_name);
  SSL_CTX* context = asked ? static_cast<const TlsNames*>(names)->find(asked) : nullptr;
  if (context) SSL_set_SSL_CTX(session, context);
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

void TlsNames::add(const std::shared_ptr<SSL_CTX>& context) {
  const X509* leaf = SSL_CTX_get0_certificate(context.get());
  auto* found = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr));
  const std::unique_ptr<GENERAL_NAMES, decltype(&GENERAL_NAMES_free)> names(found, GENERAL_NAMES_free);
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS) continue;
    const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
    contexts_.emplace(to_lower({text, std::size_t(ASN1_STRING_length(name->d.dNSName))}), context);
  }
}

SSL_CTX* TlsNames::find(std::string_view name) const {
  const std::string wanted = to_lower(name);
  auto found = contexts_.find(wanted);
  if (const auto dot = wanted.find('.'); found == contexts_.end() && dot != std::string::npos)
    found = contexts_.find("*" + wanted.substr(dot));
  return found == contexts_.end() ? nullptr : found->second.get();
}

void TlsNames::attach(SSL_CTX* context, std::unique_ptr<TlsNames> names) {
  SSL_CTX_set_tlsext_servername_callback(context, choose);
  SSL_CTX_set_tlsext_servername_arg(context, names.get());
  if (SSL_CTX_set_ex_data(context, names_index(), names.get()) != 1) throw std::runtime_error("cannot keep TLS names");
  (void)names.release();
}

}  // namespace posthaste::io
