// Base64 as Postal shows files and raw messages: 60 characters a line, a line end behind each; nothing for nothing.
#pragma once

#include <string>
#include <string_view>

namespace posthaste {

std::string base64_in_short_lines(std::string_view bytes, std::string_view line_end = "\n");

}  // namespace posthaste
