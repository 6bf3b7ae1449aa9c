// Structured header values: `text/plain; charset=utf-8; name="a b"` (RFC 2045 5.1, RFC 2231 names).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace posthaste::mail {

struct MimeValue {
  std::string value;                                            // lower case, without comments
  std::vector<std::pair<std::string, std::string>> parameters;  // names in lower case

  // The first parameter of that name, as written; empty if there is none.
  std::string_view parameter(std::string_view name) const;
  // The parameter for people, whichever way it is written. Always valid UTF-8; nothing if there is none.
  std::optional<std::string> decoded(std::string_view name) const;
  // The parameter in any of its forms: `name`, `name*`, `name*0`, `name*0*`.
  bool has(std::string_view name) const;
};

inline constexpr std::size_t kMaxParameters = 50;

// Never fails: what cannot be read is left out.
MimeValue parse_mime_value(std::string_view text);

}  // namespace posthaste::mail
