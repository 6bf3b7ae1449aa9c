// The lines of a transaction, and whether a host can take it at all. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "smtp/client/capabilities.h"
#include "smtp/client/connection.h"

namespace posthaste::smtp::client {

struct Content {
  std::uint64_t bytes = 0;
  bool eight_bit = false;
};
Content measure(const std::vector<std::string_view>& pieces);

struct TransactionLines {
  std::string mail, rcpt;  // without line ends
};
// Domains that are not ASCII become A-labels. Fails with Invalid (an address that can be sent nowhere) or Limit (this
// host lacks SMTPUTF8, or takes smaller messages only); the text is for people.
Result<TransactionLines> transaction_lines(const Envelope& envelope, const Content& content,
                                           const Capabilities& capabilities);

}  // namespace posthaste::smtp::client
