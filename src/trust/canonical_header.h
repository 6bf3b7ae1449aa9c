// A message's header fields as DKIM sees them (RFC 6376 3.4.2).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace posthaste::trust {

struct Field {
  std::string name;       // lower case
  std::string_view line;  // as it stands, with its continuation lines, without the last line end
};

struct HeaderBlock {
  std::vector<Field> fields;
  // Bytes at the end of the block that belong to the body once line ends are CRLF: a bare CR can hide an empty line.
  // They begin behind that empty line.
  std::string_view spilled;
  bool ended_early = false;  // such an empty line was found
};

// Splits at CRLF, LF and CR alike. Lines that are no field (no colon, other bytes in the name) are left out.
HeaderBlock parse_header_block(std::string_view headers);

// Relaxed: `name:value`, unfolded, runs of white space as one space, none at the ends of the value; no line end.
std::string relaxed_field(std::string_view lower_name, std::string_view line);

}  // namespace posthaste::trust
