// Tells the sender of an incoming message that it could not be delivered (inbound-processing.md 13,
// outbound-delivery.md 16, 19.13): an outgoing message of the mail server with an empty envelope sender.
#pragma once

#include <optional>
#include <string>

#include "store/directory.h"
#include "store/messages.h"

namespace posthaste::delivery {

struct Attempt;
struct Tools;

// Why the message could not be delivered, as the report in the bounce tells it.
struct BounceReason {
  std::string explanation;  // a sentence for the person who reads it; may be empty
  std::string status;       // `5.1.1`
  std::string diagnostic;   // `smtp; 550 5.1.1 no such user`, `X-Postal; HTTP 404`; empty: none
  std::string remote_mta;   // host name; empty: none
};

// Of the attempt's verdict, which is a hard failure.
BounceReason reason_of_verdict(const Attempt& attempt);
// The route's mode is Bounce or Reject.
BounceReason reason_of_route();
// The message was tried as often as it may be.
BounceReason reason_of_last_attempt(int attempts);

// Stores the bounce and gives its id when it is on disk. Nothing when none may be sent: the message is a bounce, has no
// sender or one that speaks for a mail system, is spam, is mail of a list or of a machine, or this sender was told ten
// times within the hour. A message for which one was made before gives that one's id: an attempt may be repeated.
// Blocking. Throws what a broken world throws.
std::optional<store::Id> send_bounce(Attempt& attempt, Tools& tools, const BounceReason& reason);

// The same for a message that no attempt is made for: a forwarded one that came back.
std::optional<store::Id> send_bounce(const store::Message& message, const store::Server& server,
                                     const store::Directory& directory, Tools& tools, const BounceReason& reason);

}  // namespace posthaste::delivery
