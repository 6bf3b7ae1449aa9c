// Readings of text that v1 has of its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace posthaste::api::v1 {

// Empty, or white space only, that of Unicode included.
bool is_unicode_blank(std::string_view text);

// The address in `Name <address>` as Postal finds it (http-api.md 5.2). No syntax is checked.
std::string strip_address(std::string_view text);

// `a, b,c` as list; trailing empty items are dropped.
std::vector<std::string> split_list(std::string_view text);

// Whether mail could go to it: `local@domain` without blanks or control characters, within the lengths of RFC 5321.
bool is_deliverable_address(std::string_view address);
// At most 254 octets, what the columns hold and RFC 5321 allows.
bool has_storable_length(std::string_view address);

// With the domain's A-labels.
std::string with_ascii_domain(std::string_view address);

}  // namespace posthaste::api::v1
