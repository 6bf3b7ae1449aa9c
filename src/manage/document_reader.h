// Reads one map of a document key by key; whatever was not asked for in the end is an unknown key.
#pragma once

#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "manage/field.h"
#include "manage/problems.h"
#include "manage/tree.h"

namespace posthaste::manage {

class MapReader {
 public:
  // `path`: of this map, for messages.
  MapReader(const Tree& tree, std::string path, Problems& problems);

  void value(std::string_view key, Field<std::string>& into);
  void value(std::string_view key, Field<bool>& into);
  void value(std::string_view key, Field<std::int64_t>& into);
  void value(std::string_view key, Field<double>& into);
  void value(std::string_view key, Field<Time>& into);  // ISO 8601, UTC
  void value(std::string_view key, Field<std::vector<std::string>>& into);
  // Text for a plain string, empty if missing or null.
  void value(std::string_view key, std::string& into);
  // Known, but not taken.
  void ignore(std::initializer_list<std::string_view> keys);
  // Null when missing; a null value counts as missing.
  const Tree* find(std::string_view key);
  // The items of a list, or nothing when the key is missing.
  const Tree::List* list(std::string_view key);

  void wrong(const Tree& at, std::string_view key, std::string_view what);
  void finish();

  const std::string& path() const { return path_; }
  int line() const { return tree_.line; }

 private:
  const Tree* take(std::string_view key);

  const Tree& tree_;
  std::string path_;
  Problems& problems_;
  std::set<std::string, std::less<>> known_;
};

// The value under this key as it stands in the document, for paths; empty if there is none.
std::string shown(const Tree& tree, std::string_view key);

}  // namespace posthaste::manage
