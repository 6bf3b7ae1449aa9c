// Signatures of requests to webhooks and HTTP endpoints, and the key that receivers check them with (http-api.md 16).
//
// RSA PKCS#1 v1.5 over the body's bytes, once with SHA-1 for receivers of old and once with SHA-256. The SHA-1
// signature is made without the library's consent: its policy may forbid it. From any thread; the two take about a
// millisecond of computing with RSA-2048, so sign on a pool thread. The last bodies' signatures are kept for retries.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"
#include "trust/dkim.h"

namespace posthaste::trust {

class RequestSigner {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  // Fails with Invalid unless the key is RSA.
  static Result<std::unique_ptr<RequestSigner>> make(SigningKey key);

  // X-Postal-Signature-KID, X-Postal-Signature, X-Postal-Signature-256.
  Fields headers(std::string_view body);

  // SHA-256 of the PKCS#1 form of the public key, 64 hex digits.
  const std::string& key_id() const { return key_id_; }
  // `{"keys":[...]}`, what /.well-known/jwks.json answers.
  std::string jwks() const;

 private:
  struct Signatures {
    std::string digest;  // of the body
    std::string sha1, sha256;
  };
  static constexpr std::size_t kKept = 2000;

  RequestSigner(SigningKey key, std::string key_id) : key_(std::move(key)), key_id_(std::move(key_id)) {}
  Signatures signatures(std::string_view body);

  const SigningKey key_;
  const std::string key_id_;
  std::mutex mutex_;
  std::list<Signatures> kept_;  // the latest in front
  std::unordered_map<std::string_view, std::list<Signatures>::iterator> by_digest_;
};

}  // namespace posthaste::trust
