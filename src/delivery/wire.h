// The bytes of a message as its transaction sends them (outbound-delivery.md 13): added headers in front, ours that
// were meant for us left out, the rest as stored and not copied.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/messages.h"

namespace posthaste::delivery {

// Resent-Sender, signature and X-Postal-MsgID, then the message without X-Postal-Tag, X-AMP and X-Postal-Track, with
// the end of its last line even where that was not stored: the sum of the pieces is what SIZE= announces. The pieces
// are views of `front` and `raw`; both must stay.
std::vector<std::string_view> wire_pieces(const std::string& front, const store::RawMessage& raw);

// `Resent-Sender: <mail_from>` with line end, or nothing for an empty sender or when it is switched off.
std::string resent_sender(std::string_view mail_from, bool enabled);

}  // namespace posthaste::delivery
