// What a failure means, whatever words the remote server found for it (outbound-delivery.md 19.14).
//
// Pure: computed from stage, code, enhanced code and text. The rules are tables in the source, specific before general:
// marks of single providers, enhanced codes with one meaning, words, enhanced codes with several, basic codes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace posthaste::policy {

// Where in the conversation it happened. The members are those of smtp::client::Stage, in its order.
enum class Stage { Connect, Mail, Rcpt, Data, Content };

enum class Class {
  InvalidMailbox,
  InvalidDomain,
  InactiveMailbox,
  MailboxFull,
  MessageTooLarge,
  SpamContent,
  Policy,
  AuthFailure,
  Reputation,
  RateLimited,
  Greylisted,
  AuthRequired,
  Protocol,
  Unsupported,
  Connection,
  Dns,
  TlsFailure,
  Routing,
  RecipientOptOut,
  Expired,
  Unknown,
};
std::string_view to_text(Class value);  // `invalid_mailbox`

// The address should not be tried again by itself: it goes to the suppression list after repeated hard failures.
bool blames_recipient(Class value);
// The remote site has had enough of us: its lane should slow down.
bool blames_sender_host(Class value);

struct Evidence {
  Stage stage = Stage::Connect;
  int code = 0;           // 0: no reply
  std::string_view text;  // the reply with its codes, or the error's words
  int attempts = 0;       // made before this one
};
Class classify(const Evidence& evidence);

// The first `c.s.d` behind a reply's code whose class digit is that of the code: a contradicting one says nothing.
std::optional<std::string> enhanced_code(int code, std::string_view reply);

}  // namespace posthaste::policy
