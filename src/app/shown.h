// Text from outside as a terminal may see it.
#pragma once

#include <string>
#include <string_view>

namespace posthaste::app {

// Valid UTF-8 without control characters, which could steer a terminal, cut behind so many characters.
std::string shown(std::string_view text, std::size_t most = 200);

}  // namespace posthaste::app
