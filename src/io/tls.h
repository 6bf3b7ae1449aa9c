// TLS material and what a handshake came to.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace posthaste::io {

// Certificates and rules of one side. Immutable once made; a reload makes a new one for new handshakes.
class TlsContext {
 public:
  struct ServerOptions {
    std::string certificate_path;  // PEM: leaf first, then the chain
    std::string key_path;          // PEM
    std::string ciphers;           // OpenSSL list for TLS <= 1.2; empty: the library's default
    std::string ssl_version;       // Postal's `smtp_server.ssl_version` (smtp-server.md 7.2)
    std::string min_version;       // `TLSv1.2`

    struct Pair {
      std::string certificate_path, key_path;
    };
    std::vector<Pair> additional;  // presented to clients that ask (SNI) for a name in one of them
  };
  // Fails with Invalid when a file cannot be read, a key does not match, or a certificate has expired.
  // A cipher list that OpenSSL refuses is logged and left out.
  static Result<std::shared_ptr<const TlsContext>> server(const ServerOptions& options);

  // verify: chain against the system's store and the name given to the handshake. TLS 1.2 or newer then.
  // Reads the store, which takes milliseconds: make one and keep it.
  static std::shared_ptr<const TlsContext> client(bool verify);

  void* native() const { return native_.get(); }  // SSL_CTX*
  bool verifies() const { return verify_; }

 private:
  std::shared_ptr<void> native_;
  bool verify_ = false;
};

struct TlsInfo {
  std::string version;  // `TLSv1.3`
  std::string cipher;   // OpenSSL's name
  bool verified = false;
};

}  // namespace posthaste::io
