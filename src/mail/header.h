// The header block of a message: fields as they stand, and what they say (RFC 5322 2.2, RFC 2047, inbound-processing.md
// 14).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace posthaste::mail {

// One field, as views of the message. A field without a colon is not one and is left out with its continuation lines.
struct HeaderField {
  std::string_view name;   // as written, white space before the colon left out
  std::string_view value;  // behind the colon, folded as it came, without the last line end
  std::string_view whole;  // name to last line end, included

  bool is(std::string_view other) const;  // the same name, any case
};

inline constexpr std::size_t kMaxHeaderFields = 1000;

// The fields at the beginning of a message (or of a header block), up to the first empty line; CRLF or LF line ends. At
// most the first kMaxHeaderFields.
std::vector<HeaderField> header_fields(std::string_view message);

// Header block with its last line end, without the empty line; the whole text if there is no empty line.
std::string_view header_block(std::string_view message);

// The last field of that name; null if there is none.
const HeaderField* last_field(const std::vector<HeaderField>& fields, std::string_view name);

// The header block without the fields whose names begin with one of `prefixes`, in any case; however many fields it
// has.
std::string without_fields(std::string_view block, std::span<const std::string> prefixes);

// Without line breaks, which go with nothing in their place, and without white space around it.
std::string unfold(std::string_view value);

// Unfolded and decoded for people: always valid UTF-8. Encoded words are decoded wherever they stand; raw 8-bit text
// and words in unknown or wrong charsets are read as UTF-8 if they are that, otherwise as windows-1252.
std::string decode_text(std::string_view value);

// Bytes in that charset as valid UTF-8, with the same fallback. Names in any case; empty: unknown.
std::string to_utf8(std::string_view bytes, std::string_view charset);

// What the columns `subject` and `message_id` hold (smtp-server.md 12.5): the last Subject decoded and cut at 200 code
// points; the last Message-ID between its last `<` and the next `>`, cut at 255 bytes. Empty if there is none.
std::string subject_of(const std::vector<HeaderField>& fields);
std::string message_id_of(const std::vector<HeaderField>& fields);

}  // namespace posthaste::mail
