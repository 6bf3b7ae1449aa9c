// A finished SMTP transaction as rows: one submission for each mail server, one message for each recipient
// and one more for each additional endpoint of its route (smtp-server.md 12.5).
#pragma once

#include <string_view>
#include <vector>

#include "base/time.h"
#include "smtp/server/handler.h"
#include "store/directory.h"
#include "store/messages.h"

namespace posthaste::intake {

// What goes out is prepared (acceptance.h); what comes in is kept as it came, but for
// X-Postal-Spam and X-Postal-Threat fields, which are ours to write. Recipients of a mail server that has been
// deleted since RCPT are left out. In the order of the recipients' servers.
std::vector<store::Submission> submissions_of(smtp::server::Transaction transaction, const store::Directory& directory,
                                              const Clock& clock, std::string_view return_path_domain);

}  // namespace posthaste::intake
