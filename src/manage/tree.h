// A document as a tree of values, read from YAML or JSON and written as either. Maps keep their order; what was read
// knows its line.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace posthaste::manage {

class Tree {
 public:
  using List = std::vector<Tree>;
  using Map = std::vector<std::pair<std::string, Tree>>;

  Tree() = default;
  Tree(std::nullptr_t) {}
  Tree(bool value) : value_(value) {}
  Tree(std::int64_t value) : value_(value) {}
  Tree(int value) : value_(std::int64_t(value)) {}
  Tree(double value) : value_(value) {}
  Tree(std::string value) : value_(std::move(value)) {}
  Tree(std::string_view value) : value_(std::string(value)) {}
  Tree(const char* value) : value_(std::string(value)) {}
  Tree(List value) : value_(std::move(value)) {}
  Tree(Map value) : value_(std::move(value)) {}

  bool null() const { return std::holds_alternative<std::monostate>(value_); }
  const bool* flag() const { return std::get_if<bool>(&value_); }
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&value_); }
  const double* real() const { return std::get_if<double>(&value_); }
  const std::string* text() const { return std::get_if<std::string>(&value_); }
  const List* list() const { return std::get_if<List>(&value_); }
  const Map* map() const { return std::get_if<Map>(&value_); }

  // Null when it is no map or has no such key.
  const Tree* find(std::string_view key) const;
  Tree& set(std::string key, Tree value);  // of a map, at the end; the value's place
  void add(Tree item);                     // to a list
  // The value under a key, the item at a place: they must be there.
  Tree& at(std::string_view key);
  Tree& item(std::size_t index) { return std::get<List>(value_).at(index); }

  int line = 0;       // from 1; 0: not read from a text
  std::string plain;  // an unquoted scalar as it was written: `0123` may be meant as text

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Map> value_;
};

// YAML, of which JSON is a part. Plain scalars are what the core schema of YAML 1.2 says, and `yes`, `no`, `on`, `off`
// besides. Errors (Invalid) name line and column; a key given twice is one. Bounded in size, depth and number of
// values.
Result<Tree> parse_tree(std::string_view text);

std::string to_json(const Tree& tree);
std::string to_yaml(const Tree& tree);

}  // namespace posthaste::manage
