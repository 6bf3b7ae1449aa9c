// Mail to the return path: which message it is about, and what that means for it (inbound-processing.md 8, 18.2).
//
// Attribution, first hit wins: the tag in the recipient's address (return_path.h), the report's Original-Envelope-Id,
// X-Postal-MsgID in the returned message, its Message-ID together with the reported recipient, and last any
// X-Postal-MsgID in the raw bytes, of outgoing messages that were sent.
//
// A message that failed becomes `Bounced`, its recipient is suppressed when the address is to blame, and what still
// waits in the queue for it goes. A delay is noted in its history. Automatic replies and successes change nothing.
#pragma once

namespace posthaste::delivery {

struct Answer;
struct Attempt;
struct Tools;

// Step of the incoming pipeline; blocking. Ends the way of everything that it attributed (`Processed`), of unmatched
// mail without a route (`HardFail`, or `Processed` for automatic replies). What is unmatched and has a route goes on,
// and so does whatever is no bounce.
Answer match_bounce(Attempt& attempt, Tools& tools);

}  // namespace posthaste::delivery
