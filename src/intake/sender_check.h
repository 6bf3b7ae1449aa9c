// May this mail server's users send a message with this From (or Sender)? (smtp-server.md 12.4)
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "mail/header.h"
#include "store/directory.h"

namespace posthaste::intake {

// The domain as whose user the message is sent: every mailbox of every From field must be of a domain that the server
// may use; the first one's counts. Where the server allows it, Sender may stand in for From. The error says why not.
std::expected<const store::Domain*, std::string> authenticate_sender(const store::Directory& directory,
                                                                     const store::Server& server,
                                                                     const std::vector<mail::HeaderField>& fields);

// Whether there are several From fields and they do not name the same mailboxes.
bool from_fields_differ(const std::vector<mail::HeaderField>& fields);

}  // namespace posthaste::intake
