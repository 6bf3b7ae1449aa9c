// Messages of a mail server, for people: finding them, and giving up holds (outbound-delivery.md 7).
#pragma once

#include <string>
#include <vector>

#include "manage/work.h"

namespace posthaste::manage {

struct MessageFilter {
  std::string status;      // any case; empty: any
  std::string to, from;    // parts of the envelope's addresses, any case; empty: any
  bool held = false;       // only what is held
  std::size_t limit = 50;  // 0: all
};

struct ListedMessage {
  Id id = 0;
  std::string token, scope, status, rcpt_to, mail_from, subject, tag;
  Time timestamp;
  std::optional<Time> hold_expiry;
  std::string held_because;  // empty unless it is held
};

// Newest first.
std::vector<ListedMessage> list_messages(const Context& context, Id server_id, const MessageFilter& filter);

// The message is not delivered; a delivery `HoldCancelled` records it. Fails with NotFound, or Invalid when it is not
// held.
Result<> cancel_hold(const Context& context, Id server_id, Id message_id);

// Errors as cancel_hold has them.
Result<> must_be_held(const Context& context, Id server_id, Id message_id);

}  // namespace posthaste::manage
