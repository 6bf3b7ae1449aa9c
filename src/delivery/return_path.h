// The envelope sender of outgoing mail and the tag in it that says which message came back (VERP).
//
//   <server token>+b<id>-<proof>@<return path domain>
//
// <id> is the message id, big-endian without leading zero bytes, in lower-case base32 (RFC 4648, no padding). <proof>
// is the first 10 characters of the base32 of HMAC-SHA256(server key, kind | id in decimal | epoch), so that a tag
// which comes back was given out by us. The server key is HKDF-SHA256 of the installation's signing key (its PKCS#8/DER
// bytes) with the mail server's token as salt and `posthaste return path` as info. Only a-z, 2-7 and `-`: safe where
// case is folded. Kinds: `b` outgoing, `f` forwarded. The epoch is 1 until keys can be rotated.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"
#include "store/messages.h"
#include "store/records.h"
#include "trust/dkim.h"

namespace posthaste::delivery {

struct ReturnTag {
  char kind = 'b';
  store::Id message_id = 0;
  bool operator==(const ReturnTag&) const = default;
};

class ReturnTags {
 public:
  explicit ReturnTags(const trust::SigningKey& installation_key);

  std::string make(std::string_view server_token, const ReturnTag& tag) const;
  // What stands between `+` and `@` of an address that got a bounce. Nothing if it is not one of ours for this server.
  std::optional<ReturnTag> check(std::string_view server_token, std::string_view text) const;

 private:
  std::string proof(std::string_view server_token, const ReturnTag& tag) const;
  std::string secret_;
};

// MAIL FROM of a message (12.5): empty for a bounce; at the domain's own return path host when its record was found,
// else at the installation's. `tags` null: without a tag.
std::string mail_from(const store::Message& message, const store::Server& server, const store::Domain* domain,
                      const config::Config& config, const ReturnTags* tags);

// RCPT TO: a domain that is not ASCII as A-labels, an ASCII one with its letters (19.12). Nothing if it cannot be
// written on an SMTP line: CR, LF, NUL, angle brackets, no domain, more than 254 bytes.
std::optional<std::string> envelope_recipient(std::string_view rcpt_to);

}  // namespace posthaste::delivery
