// The records of the delivery journal as bytes.
//
//   length (4, little-endian) | checksum of the payload (4) | payload
//
// The payload begins with its kind: `D` the final dot is about to be sent, `E` the outcome is known, `C` the database
// has it. Records of one attempt share a ticket. Reading stops at the first record that is torn or does not match its
// checksum: the file is only ever appended to, so nothing behind it was ever relied on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "store/messages.h"

namespace posthaste::delivery {

using Ticket = std::uint64_t;

// A message whose content has been written to a remote host, before its final dot.
struct InDoubt {
  store::Id server_id = 0, message_id = 0, queue_id = 0;
  std::string endpoint;  // `1.2.3.4:25 (mx1.example.com)`
  Time at;
  std::string lease;  // that the queue row was under
};

std::string encode_sending(Ticket ticket, const InDoubt& what);
std::string encode_outcome(Ticket ticket, const store::Conclusion& conclusion);
std::string encode_settled(Ticket ticket);

// What a journal says of attempts that were not settled.
struct Unsettled {
  std::vector<store::Conclusion> known;  // outcome known, perhaps not in the database
  std::vector<InDoubt> in_doubt;         // no outcome
  bool torn = false;                     // the file ends within a record
};
Unsettled decode_journal(std::string_view bytes);

}  // namespace posthaste::delivery
