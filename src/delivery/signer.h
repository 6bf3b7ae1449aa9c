// DKIM signatures of outgoing mail, and the key that return path tags are made with (outbound-delivery.md 14, 12.5).
//
// A domain whose record was found signs for itself; all others are signed for the installation. Keys are parsed once
// and kept; a changed key is parsed anew. From any thread; signing takes a third of a millisecond of computing.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "config/config.h"
#include "delivery/return_path.h"
#include "store/messages.h"
#include "store/records.h"
#include "trust/dkim.h"

namespace posthaste::delivery {

class Signer {
 public:
  // Reads the installation's signing key. If that fails it is logged, and messages that need it fail as internal
  // errors.
  explicit Signer(const config::Config& config);

  // `DKIM-Signature: ...` with its last line end. Throws when there is no key to sign with.
  std::string signature(const store::Domain& domain, const store::RawMessage& raw, Time now);

  // Null when delivery.verp is off or there is no signing key.
  const ReturnTags* return_tags() const { return tags_ ? &*tags_ : nullptr; }

 private:
  struct Kept {
    std::string pem;
    std::optional<trust::SigningKey> key;
  };
  std::optional<trust::SigningKey> key_of(const store::Domain& domain);

  const config::Config& config_;
  std::optional<trust::SigningKey> installation_key_;
  std::optional<ReturnTags> tags_;
  std::mutex mutex_;
  std::map<store::Id, Kept> keys_;
};

}  // namespace posthaste::delivery
