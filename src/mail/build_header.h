// Header fields for a message that is built: encoded (RFC 2047), folded at 76 columns, no line above 998 bytes.
// Whatever a value holds, the result is exactly one field: CR, LF and other control characters are encoded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace posthaste::mail {

// RFC 5322 3.6.8: printable ASCII without colon.
bool is_field_name(std::string_view name);

// `Name: value` with CRLF. ASCII stays as it is; words with anything else become encoded words. The name must be one.
std::string text_field(std::string_view name, std::string_view value);

// A list of addresses, each as it was given (`Zoë <z@x.test>`): display names are encoded, domains become A-labels.
// What is no address goes out as text. A local part outside ASCII stays raw UTF-8: the message then needs SMTPUTF8.
std::string address_field(std::string_view name, const std::vector<std::string>& entries);

// The text as a parameter of a structured field, behind its `;`: bare, quoted, or (outside ASCII) by RFC 2231 with an
// ASCII fallback behind it, since readers that do not know RFC 2231 take that one.
std::string parameter(std::string_view name, std::string_view value);

}  // namespace posthaste::mail
