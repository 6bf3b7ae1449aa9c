// Address fields that are a trap for parsers which follow nesting by calling themselves: GMime's does, and ends the
// process at some ten thousand levels of groups or comments.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace posthaste::mail {

// The message with such fields blanked out, in its header and in those of its parts; every byte keeps its place.
// Nothing when there are none, which is the rule.
std::optional<std::string> without_deep_addresses(std::string_view message);

}  // namespace posthaste::mail
