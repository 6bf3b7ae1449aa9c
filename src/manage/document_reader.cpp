#include "manage/document_reader.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace posthaste::manage {

namespace {

// The text of a scalar; numbers and words that were written without quotes may be meant as text.
std::optional<std::string> as_text(const Tree& tree) {
  if (tree.text()) return *tree.text();
  if (tree.null() || tree.map() || tree.list()) return std::nullopt;
  return tree.plain;
}

std::optional<Time> as_time(const Tree& tree) {
  auto text = as_text(tree);
  if (!text || text->size() < 19) return std::nullopt;
  auto plain = replace_all(*text, "T", " ");
  if (plain.ends_with('Z')) plain.pop_back();
  return from_datetime(plain);
}

}  // namespace

MapReader::MapReader(const Tree& tree, std::string path, Problems& problems)
    : tree_(tree), path_(std::move(path)), problems_(problems) {
  if (!tree.map() && !tree.null())
    problems_.base(fmt::format("line {}: {}: must be a map of keys and values", tree.line,
                               path_.empty() ? "the document" : path_));
}

const Tree* MapReader::take(std::string_view key) {
  known_.emplace(key);
  return tree_.find(key);
}

const Tree* MapReader::find(std::string_view key) {
  auto found = take(key);
  return found && !found->null() ? found : nullptr;
}

void MapReader::ignore(std::initializer_list<std::string_view> keys) {
  for (auto key : keys) known_.emplace(key);
}

void MapReader::wrong(const Tree& at, std::string_view key, std::string_view what) {
  problems_.base(
      fmt::format("line {}: {}{}{}: {}", at.line, path_, path_.empty() || key.empty() ? "" : ".", key, what));
}

void MapReader::value(std::string_view key, Field<std::string>& into) {
  auto found = take(key);
  if (!found) return;
  if (found->null()) return void(into = std::nullopt);
  auto text = as_text(*found);
  if (!text) return wrong(*found, key, "must be text");
  into = *text;
}

void MapReader::value(std::string_view key, std::string& into) {
  Field<std::string> text;
  value(key, text);
  into = text.value_or("");
}

void MapReader::value(std::string_view key, Field<bool>& into) {
  auto found = take(key);
  if (!found) return;
  if (!found->flag()) return wrong(*found, key, "must be true or false");
  into = *found->flag();
}

void MapReader::value(std::string_view key, Field<std::int64_t>& into) {
  auto found = take(key);
  if (!found) return;
  if (found->null()) return void(into = std::nullopt);
  if (!found->integer()) return wrong(*found, key, "must be a whole number");
  into = *found->integer();
}

void MapReader::value(std::string_view key, Field<double>& into) {
  auto found = take(key);
  if (!found) return;
  if (found->null()) return void(into = std::nullopt);
  if (found->integer()) return void(into = double(*found->integer()));
  if (!found->real()) return wrong(*found, key, "must be a number");
  into = *found->real();
}

void MapReader::value(std::string_view key, Field<Time>& into) {
  auto found = take(key);
  if (!found) return;
  if (found->null()) return void(into = std::nullopt);
  auto time = as_time(*found);
  if (!time) return wrong(*found, key, "must be a time like 2026-01-31T10:15:02Z");
  into = *time;
}

void MapReader::value(std::string_view key, Field<std::vector<std::string>>& into) {
  auto items = list(key);
  if (!items) return;
  std::vector<std::string> texts;
  for (const auto& item : *items) {
    auto text = as_text(item);
    if (!text) return wrong(item, key, "must be a list of texts");
    texts.push_back(*text);
  }
  into = std::move(texts);
}

const Tree::List* MapReader::list(std::string_view key) {
  auto found = find(key);
  if (!found) return nullptr;
  if (!found->list()) wrong(*found, key, "must be a list");
  return found->list();
}

void MapReader::finish() {
  if (auto map = tree_.map())
    for (const auto& [key, value] : *map)
      if (!known_.contains(key)) wrong(value, key, "is not a known key");
}

std::string shown(const Tree& tree, std::string_view key) {
  auto found = tree.find(key);
  return found ? as_text(*found).value_or("") : "";
}

}  // namespace posthaste::manage
