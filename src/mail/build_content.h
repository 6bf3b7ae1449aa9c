// Transfer encodings for the parts of a message that is built (RFC 2045 section 6).
#pragma once

#include <string>
#include <string_view>

namespace posthaste::mail {

// Line ends of any kind become CRLF.
std::string with_crlf(std::string_view text);

struct Encoded {
  std::string_view encoding;  // value of Content-Transfer-Encoding
  std::string bytes;
};
// Text with CRLF line ends: 7bit where it is short-lined ASCII without control characters, otherwise quoted-printable,
// or base64 where more than a third of it would be escaped.
Encoded encode_text(std::string_view text);

// Base64 in lines of 76 characters, the last one with a line end, too.
std::string base64_lines(std::string_view bytes);

// No line (with CRLF line ends) is longer than 998 bytes, and there is no NUL and no bare CR or LF.
bool has_mail_lines(std::string_view text);

}  // namespace posthaste::mail
