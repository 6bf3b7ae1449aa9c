// Certificates by the name that a client asks for (SNI; smtp-server.md 7.3). Only for the .cpp files of this room.
#pragma once

#include <openssl/ssl.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace posthaste::io {

class TlsNames {
 public:
  // All DNS names of the context's certificate. The first certificate with a name keeps it.
  void add(const std::shared_ptr<SSL_CTX>& context);

  // The context for a name: that of its own certificate, else of a wildcard for one label; null: none.
  SSL_CTX* find(std::string_view name) const;

  // From now on handshakes of `context` choose among `names`, which live as long as it does.
  static void attach(SSL_CTX* context, std::unique_ptr<TlsNames> names);

 private:
  std::map<std::string, std::shared_ptr<SSL_CTX>, std::less<>> contexts_;
};

}  // namespace posthaste::io
