// Builds the message that tells a sender that their message could not be delivered (outbound-delivery.md 19.13):
// multipart/report of a text for people with Postal's labelled lines, a delivery status (RFC 3464), and what they sent.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "mail/build.h"

namespace posthaste::mail {

struct Bounce {
  std::string from;         // address for which the service speaks
  std::string to;           // sender of the original
  std::string contact;      // whom to ask
  std::string message_id;   // of the bounce, without angle brackets
  std::string explanation;  // one sentence; may be empty
  Time date, arrival;       // arrival of the original

  std::string token;                // `<message token>@<server token>`
  std::string original_message_id;  // without angle brackets; may be empty
  std::string mail_from, rcpt_to;   // envelope of the original

  std::string reporting_mta;  // host name
  std::string status;         // `5.1.1`
  std::string diagnostic;     // `smtp; 550 no`; empty: none
  std::string remote_mta;     // host name; empty: none
  std::string_view original;  // its bytes
};

// Above this only the header of the original goes back.
constexpr std::size_t kLargestReturned = 100 * 1024;

// The original goes as it is, in 7bit or 8bit; where no mail can carry its lines so, or when it is large, its header
// alone goes. What comes from outside cannot add header fields or report fields.
std::string build_bounce(const Bounce& bounce, const RandomText& random);

// `Mail Delivery Failed (<subject of the original>)`
std::string bounce_subject(std::string_view original);

}  // namespace posthaste::mail
