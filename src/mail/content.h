// What people read in a message: its bodies, its attachments, its header fields decoded (inbound-processing.md 14.2 to
// 14.6). Never fails: damaged and foreign messages give what can be made of them, as valid UTF-8.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mail/header.h"

namespace posthaste::mail {

struct AttachedFile {
  std::string name;
  std::string content_type;       // lower case, without parameters
  std::string bytes;              // decoded
  std::string full_content_type;  // with its parameters, by their names
};

struct Content {
  std::optional<std::string> plain, html;
  std::vector<AttachedFile> attachments;  // depth first
};
Content read_content(std::string_view message);

// Field names in lower case, each with its values in order; the well-known names first, in Postal's order, then the
// others as they come. Of well-known single fields the last one counts. An empty field has no value.
using HeaderMap = std::vector<std::pair<std::string, std::vector<std::optional<std::string>>>>;
HeaderMap header_map(std::string_view message);

// The last field of that name (in lower case) as it stands in the map; nothing if it is absent or empty.
std::optional<std::string> last_value(const std::vector<HeaderField>& fields, std::string_view name);

}  // namespace posthaste::mail
