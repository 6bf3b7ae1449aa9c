// Which domain a message may be sent by (http-api.md 5.4), and whose address the envelope bears.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mail/header.h"
#include "store/directory.h"

namespace posthaste::api::v1 {

struct AuthorisedSender {
  store::Id domain_id = 0;
  std::string mail_from;
};

// Every mailbox of From must be authorised, or Sender where the mail server allows it. Nothing if nobody vouches for
// the message. mail_from is the first mailbox of From; of several, Sender's where it is allowed.
std::optional<AuthorisedSender> authorise_sender(const store::Directory& directory, const store::Server& server,
                                                 const std::vector<mail::HeaderField>& fields);

// The same for the parameters of send/message. Several From mailboxes need a Sender (RFC 5322 3.6.2).
std::optional<AuthorisedSender> authorise_sender(const store::Directory& directory, const store::Server& server,
                                                 std::string_view from, std::string_view sender);

}  // namespace posthaste::api::v1
