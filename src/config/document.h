// The configuration file as a flat list of dotted paths with what stands there.
#pragma once

#include <expected>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/scalar.h"

namespace posthaste::config {

struct Entry {
  Raw raw;
  int line = 0;
  std::string problem;  // a shape that no setting has, e.g. a map inside a list
};

struct Document {
  int version = 2;
  bool empty = false;
  std::set<std::string> groups;          // names of the first level
  std::map<std::string, Entry> entries;  // `group.key`, in version 1 also `logging.graylog.host`

  const Entry* find(const std::string& path) const;
};

// Parses a file's text. Errors without the file's name: `line 3: ...`.
std::expected<Document, std::string> parse_document(std::string_view text);

}  // namespace posthaste::config
