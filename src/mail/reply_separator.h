// Parts the new text of a reply from what it quotes, signs and carries along (inbound-processing.md 15).
//
// Eleven rules in Postal's order, each over what the ones before it have left. Pure; time grows with the text's length
// only, whatever it holds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace posthaste::mail {

struct SeparatedReply {
  std::string text;                      // what remains, trimmed
  std::optional<std::string> separated;  // what was cut, the last cut in front, trimmed; nothing if that is empty
};

// `plain`: valid UTF-8.
SeparatedReply separate_reply(std::string_view plain);

}  // namespace posthaste::mail
