#include "io/tls.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <optional>

#include "base/log.h"
#include "io/tls_error.h"
#include "io/tls_names.h"

namespace posthaste::io {
namespace {

// Tokens that OpenSSL appends to a cipher list. Old protocol versions need signatures that its default level refuses.
constexpr const char* kCiphersOfAllLevels = "DEFAULT@SECLEVEL=0";
constexpr const char* kGroups = "X25519:P-256:P-384";

std::shared_ptr<SSL_CTX> make_context(const SSL_METHOD* method) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(method), SSL_CTX_free);
  if (!context) throw std::runtime_error("cannot make a TLS context: " + tls_error_text());
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context.get(), 1);  // a record takes one system call, not two
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // A key with a pass phrase is refused: nobody is there to type it.
  SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return 0; });
  return context;
}

struct Versions {
  int min = TLS1_2_VERSION;
  int max = TLS1_3_VERSION;
};

std::optional<int> parse_version(std::string_view text) {
  if (text == "TLSv1" || text == "TLSv1.0" || text == "TLSv1_0") return TLS1_VERSION;
  if (text == "TLSv1.1" || text == "TLSv1_1") return TLS1_1_VERSION;
  if (text == "TLSv1.2" || text == "TLSv1_2") return TLS1_2_VERSION;
  if (text == "TLSv1.3" || text == "TLSv1_3") return TLS1_3_VERSION;
  return std::nullopt;
}

int min_version(const std::string& text) {
  if (text.empty()) return TLS1_2_VERSION;
  if (const auto version = parse_version(text)) return *version;
  log::warn("io", "unknown tls_min_version, using TLSv1.2", {{"value", text}});
  return TLS1_2_VERSION;
}

// smtp-server.md 7.2: `ssl_version` once named a method of OpenSSL; versions below the minimum are not brought back by
// it.
Versions versions_of(const TlsContext::ServerOptions& options) {
  Versions versions{.min = min_version(options.min_version)};
  const std::string& wanted = options.ssl_version;
  if (wanted.empty() || wanted == "SSLv23") return versions;
  const auto version = parse_version(wanted);
  if (!version) {
    log::warn("io", "unknown ssl_version, negotiating", {{"value", wanted}});
  } else if (*version >= TLS1_2_VERSION) {
    versions = {.min = *version, .max = *version};
  } else if (*version >= versions.min) {
    versions.min = *version;
  } else {
    log::warn("io", "ssl_version is below tls_min_version and not used", {{"value", wanted}});
  }
  return versions;
}

void set_ciphers(SSL_CTX* context, const std::string& ciphers, const Versions& versions) {
  if (versions.min < TLS1_2_VERSION) SSL_CTX_set_cipher_list(context, kCiphersOfAllLevels);
  if (ciphers.empty()) return;
  ERR_clear_error();
  if (SSL_CTX_set_cipher_list(context, ciphers.c_str()) == 1) return;
  log::error("io", "tls_ciphers is no cipher list of OpenSSL, using the default",
             {{"value", ciphers}, {"error", tls_error_text()}});
}

// Why a file cannot be opened, or nothing: OpenSSL's own words for it are hard to read.
std::optional<std::string> unreadable(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::strerror(errno);
  ::close(fd);
  return std::nullopt;
}

std::string date_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1
             ? fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday)
             : "an unknown date";
}

Result<> check_dates(const SSL_CTX* context, const std::string& path) {
  const X509* leaf = SSL_CTX_get0_certificate(context);
  if (!leaf) return {};
  const ASN1_TIME* end = X509_get0_notAfter(leaf);
  if (X509_cmp_current_time(end) >= 0) return {};
  return fail(ErrorKind::Invalid, fmt::format("the certificate {} has expired on {}", path, date_of(end)));
}

Result<> load_certificate(SSL_CTX* context, const TlsContext::ServerOptions::Pair& files) {
  const std::string &certificate = files.certificate_path, &key = files.key_path;
  if (const auto why = unreadable(certificate))
    return fail(ErrorKind::Invalid, fmt::format("the certificate {} cannot be read: {}", certificate, *why));
  if (const auto why = unreadable(key))
    return fail(ErrorKind::Invalid, fmt::format("the private key {} cannot be read: {}", key, *why));
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1)
    return fail(ErrorKind::Invalid, fmt::format("the file {} holds no certificate in PEM form", certificate),
                tls_error_text());
  const auto mismatch = [&] {
    return fail(ErrorKind::Invalid,
                fmt::format("the private key {} does not belong to the certificate {}", key, certificate),
                tls_error_text());
  };
  // Refuses a key of another certificate, too.
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    if (ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH) return mismatch();
    return fail(ErrorKind::Invalid,
                fmt::format("the file {} holds no private key in PEM form without a pass phrase", key),
                tls_error_text());
  }
  if (SSL_CTX_check_private_key(context) != 1) return mismatch();
  return check_dates(context, certificate);
}

}  // namespace

std::string tls_error_text() {
  const unsigned long code = ERR_peek_last_error();
  if (code == 0) return "no reason given";
  std::array<char, 256> text{};
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

namespace {

Result<std::shared_ptr<SSL_CTX>> server_context(const TlsContext::ServerOptions& options, const Versions& versions,
                                                const TlsContext::ServerOptions::Pair& files) {
  auto native = make_context(TLS_server_method());
  SSL_CTX_set_min_proto_version(native.get(), versions.min);
  SSL_CTX_set_max_proto_version(native.get(), versions.max);
  set_ciphers(native.get(), options.ciphers, versions);
  SSL_CTX_set1_groups_list(native.get(), kGroups);
  SSL_CTX_set_options(native.get(), SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(native.get(), SSL_SESS_CACHE_OFF);  // tickets resume sessions without memory
  if (auto loaded = load_certificate(native.get(), files); !loaded) return std::unexpected(loaded.error());
  return native;
}

}  // namespace

Result<std::shared_ptr<const TlsContext>> TlsContext::server(const ServerOptions& options) {
  const Versions versions = versions_of(options);
  auto native = server_context(options, versions, {options.certificate_path, options.key_path});
  if (!native) return std::unexpected(native.error());
  auto names = std::make_unique<TlsNames>();
  for (const auto& files : options.additional) {
    auto other = server_context(options, versions, files);
    if (!other) return std::unexpected(other.error());
    names->add(*other);
  }
  if (!options.additional.empty()) TlsNames::attach(native->get(), std::move(names));

  auto context = std::make_shared<TlsContext>();
  context->native_ = std::move(*native);
  return context;
}

// Without verify any encryption beats none, however old; whether the certificate would have passed is still found out.
std::shared_ptr<const TlsContext> TlsContext::client(bool verify) {
  auto native = make_context(TLS_client_method());
  SSL_CTX_set_min_proto_version(native.get(), verify ? TLS1_2_VERSION : TLS1_VERSION);
  if (!verify) SSL_CTX_set_cipher_list(native.get(), kCiphersOfAllLevels);
  SSL_CTX_set_default_verify_paths(native.get());
  SSL_CTX_set_verify(native.get(), verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);

  auto context = std::make_shared<TlsContext>();
  context->native_ = std::move(native);
  context->verify_ = verify;
  return context;
}

}  // namespace posthaste::io
