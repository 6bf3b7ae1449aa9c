// What a server says it can do, in its reply to EHLO.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "smtp/proto/reply.h"

namespace posthaste::smtp::client {

struct Capabilities {
  bool size = false, eight_bit_mime = false, smtputf8 = false, pipelining = false, starttls = false;
  std::uint64_t max_size = 0;     // 0: not told
  int max_transactions = 0;       // LIMITS MAILMAX (RFC 9422); 0: not told
  std::vector<std::string> auth;  // mechanisms, upper case

  bool offers_auth(std::string_view mechanism) const;
};

// Keywords in any case; unknown ones are skipped.
Capabilities parse_capabilities(const proto::ReceivedReply& reply);

}  // namespace posthaste::smtp::client
