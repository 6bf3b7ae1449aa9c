#include "manage/tree.h"

#include "base/json.h"
#include "base/strings.h"

namespace posthaste::manage {

namespace {

void write_json(JsonWriter& out, const Tree& tree) {
  if (auto map = tree.map()) {
    out.begin_object();
    for (const auto& [key, value] : *map) {
      out.key(key);
      write_json(out, value);
    }
    out.end_object();
  } else if (auto list = tree.list()) {
    out.begin_array();
    for (const auto& item : *list) write_json(out, item);
    out.end_array();
  } else if (auto text = tree.text()) {
    out.value(std::string_view(*text));
  } else if (auto flag = tree.flag()) {
    out.value(*flag);
  } else if (auto integer = tree.integer()) {
    out.value(*integer);
  } else if (auto real = tree.real()) {
    out.value(*real);
  } else {
    out.null();
  }
}

}  // namespace

const Tree* Tree::find(std::string_view key) const {
  if (auto entries = map())
    for (const auto& [name, value] : *entries)
      if (name == key) return &value;
  return nullptr;
}

Tree& Tree::at(std::string_view key) { return const_cast<Tree&>(*find(key)); }

Tree& Tree::set(std::string key, Tree value) {
  if (null()) value_ = Map();
  return std::get<Map>(value_).emplace_back(std::move(key), std::move(value)).second;
}

void Tree::add(Tree item) {
  if (null()) value_ = List();
  std::get<List>(value_).push_back(std::move(item));
}

std::string to_json(const Tree& tree) {
  JsonWriter out;
  write_json(out, tree);
  return out.take();
}

}  // namespace posthaste::manage
