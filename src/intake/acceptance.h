// What becomes of a client's message before it is stored, whether it came over SMTP or the HTTP API
// (outbound-delivery.md 5.3, http-api.md 8, smtp-server.md 12.5). Everything that is not named here stays byte for
// byte.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/time.h"

namespace posthaste::intake {

struct Prepared {
  std::string raw;
  std::string tag;                  // of the last X-Postal-Tag; empty: none
  std::string subject, message_id;  // as the columns hold them
};

// Takes out `Bcc` (it names people whom the others shall not see), `X-Postal-MsgID` (it would forge bounces and hide
// the message from signing) and `X-Postal-Tag`; adds a missing `Date` and `Message-ID` at the header's end.
Prepared prepare_outgoing(std::string&& raw, const Clock& clock, std::string_view return_path_domain,
                          const std::function<std::string()>& new_uuid = random_uuid);

// Bare CR and LF become CRLF, so that what is signed is what is sent. Free when there are none.
std::string normalize_line_ends(std::string&& raw);

}  // namespace posthaste::intake
