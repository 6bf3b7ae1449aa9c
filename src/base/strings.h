// ASCII text helpers. No locale; bytes above 0x7F are left alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthaste {

char ascii_lower(char c);
char ascii_upper(char c);
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);
bool iequals(std::string_view a, std::string_view b);
bool istarts_with(std::string_view text, std::string_view prefix);

std::string_view trim(std::string_view text);                                // space, tab, CR, LF, VT, FF on both ends
bool is_blank(std::string_view text);                                        // empty or only such
std::vector<std::string_view> split(std::string_view text, char separator);  // "a,,b" gives three parts
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string to_sentence(const std::vector<std::string>& parts);  // `a`, `a and b`, `a, b, and c`
std::string replace_all(std::string_view text, std::string_view from, std::string_view to);

std::optional<std::int64_t> parse_int(std::string_view text);  // the whole text, decimal, optional sign

std::string base64_encode(std::string_view bytes);
// Lenient: characters outside the alphabet are skipped, decoding stops at padding (http-api.md 5.1).
std::string base64_decode_lenient(std::string_view text);
// Strict but for missing padding: nothing for any other foreign character.
std::optional<std::string> base64_decode(std::string_view text);
std::string hex_encode(std::string_view bytes);

bool is_ascii(std::string_view text);
bool is_utf8(std::string_view text);
// Invalid bytes become U+FFFD, NUL is removed.
std::string clean_utf8(std::string_view text);
// The first `count` code points of valid UTF-8.
std::string_view utf8_prefix(std::string_view text, std::size_t count);

// Domain in the form for DNS and look-ups: A-labels (UTS 46, non-transitional), one trailing dot removed. An ASCII
// domain keeps its letters. Nothing if it cannot be converted.
std::optional<std::string> to_ascii_domain(std::string_view domain);

// Equal in time that depends on the lengths only. For secrets.
bool constant_time_equal(std::string_view a, std::string_view b);

// For maps keyed by std::string that are asked with a string_view.
struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};

// For maps whose keys match regardless of ASCII case, as Postal's names, addresses and tokens do.
struct CaseHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const;
};
struct CaseEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return iequals(a, b); }
};

}  // namespace posthaste
