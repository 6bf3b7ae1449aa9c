// From clear to TLS, both sides.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "io/connection.h"
#include "io/tls_bio.h"
#include "io/tls_error.h"

namespace posthaste::io {
namespace {

using Shared = std::shared_ptr<Connection>;
using Context = std::shared_ptr<const TlsContext>;

// Gives the connection an SSL, which keeps OpenSSL's context alive. False if it has one already or out of memory.
bool prepare(Connection& connection, const TlsContext& context) {
  if (connection.tls()) return false;
  SSL* ssl = SSL_new(static_cast<SSL_CTX*>(context.native()));
  if (!ssl) return false;
  connection.set_ssl(ssl);
  BIO* bio = make_socket_bio(connection.fd());
  SSL_set_bio(ssl, bio, bio);
  return true;
}

// The name that the certificate must have; an address is not sent as SNI (RFC 6066 3).
bool expect_name(SSL* ssl, const std::string& name) {
  if (name.empty()) return true;
  if (IpAddress::parse(name)) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name.c_str()) == 1;
  X509_VERIFY_PARAM_set_hostflags(SSL_get0_param(ssl),
                                  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  return SSL_set_tlsext_host_name(ssl, name.c_str()) == 1 && SSL_set1_host(ssl, name.c_str()) == 1;
}

bool certificate_passed(SSL* ssl) {
  X509* certificate = SSL_get1_peer_certificate(ssl);
  if (!certificate) return false;
  X509_free(certificate);
  return SSL_get_verify_result(ssl) == X509_V_OK;
}

// The reason why the peer's certificate was refused, in OpenSSL's words; empty if it was not that.
std::string refusal(SSL* ssl) {
  if (SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE) return {};
  const long result = SSL_get_verify_result(ssl);
  return result == X509_V_OK ? std::string() : X509_verify_cert_error_string(result);
}

Task<Result<TlsInfo>> handshake(Shared connection, Duration timeout) {
  const SteadyTime deadline = deadline_after(timeout);
  SSL* ssl = connection->ssl();
  while (true) {
    if (!connection->open()) co_return std::unexpected(closed_error());
    ERR_clear_error();
    Step step = connection->tls_step(SSL_do_handshake(ssl));
    if (step.bytes > 0) break;
    if (step.error) {
      if (step.error->kind == ErrorKind::Protocol) {
        step.error->text = "TLS handshake failed";
        if (const std::string why = refusal(ssl); !why.empty()) {
          step.error->text = "certificate verify failed (" + why + ")";
          step.error->cause = "certificate: " + why;
        }
      }
      co_return std::unexpected(std::move(*step.error));
    }
    auto failed = co_await wait_for(connection, *step.wants, deadline);
    if (failed) co_return std::unexpected(std::move(*failed));
  }
  TlsInfo info;
  info.version = SSL_get_version(ssl);
  info.cipher = SSL_get_cipher_name(ssl);
  info.verified = SSL_is_server(ssl) == 0 && certificate_passed(ssl);
  co_return info;
}

Task<Result<TlsInfo>> refused(Error error) { co_return std::unexpected(std::move(error)); }

Error cannot_start() { return {ErrorKind::Protocol, "TLS cannot start on this connection", tls_error_text()}; }

}  // namespace

Task<Result<TlsInfo>> Stream::start_tls_server(Context context, Duration timeout) {
  if (!open()) return refused(closed_error());
  ERR_clear_error();
  Connection& connection = *impl_->connection;
  if (!prepare(connection, *context)) return refused(cannot_start());
  SSL_set_accept_state(connection.ssl());
  return handshake(impl_->connection, timeout);
}

Task<Result<TlsInfo>> Stream::start_tls_client(Context context, std::string name, Duration timeout) {
  if (!open()) return refused(closed_error());
  ERR_clear_error();
  Connection& connection = *impl_->connection;
  if (!prepare(connection, *context)) return refused(cannot_start());
  SSL_set_connect_state(connection.ssl());
  if (!expect_name(connection.ssl(), name)) return refused(cannot_start());
  return handshake(impl_->connection, timeout);
}

}  // namespace posthaste::io
