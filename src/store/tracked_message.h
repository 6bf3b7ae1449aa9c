// A message into which tracking put its links: the new bytes and the links' rows, kept before the mail can leave.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/store.h"

namespace posthaste::store {

struct NewLink {
  std::string token, url;  // url: valid UTF-8
};

struct TrackedMessage {
  Id server_id = 0, message_id = 0;
  std::string raw_table;
  std::optional<std::string> headers, body;  // as RawMessage has them; nothing: unchanged
  std::vector<NewLink> links;
  int images = 0;
  Time now;
  // Raw rows are not shared and Postal's own processes rewrite them in place (posthaste.coexist_with_postal).
  bool in_place = false;
};

enum class TrackedBefore { No, Yes, MessageGone };

// Marks the message `parsed`. `before` is set when the write runs: Yes when the message was marked already, by a write
// whose answer was lost or by another process; nothing is written then, and what is stored counts.
Write tracked_message_write(std::shared_ptr<const TrackedMessage> message, std::shared_ptr<TrackedBefore> before);

}  // namespace posthaste::store
