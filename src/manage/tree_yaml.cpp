// YAML text to a Tree and back, with yaml-cpp.
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>

#include "base/strings.h"
#include "manage/tree.h"

namespace posthaste::manage {

namespace {

constexpr std::size_t kMaximumBytes = 64 << 20;
constexpr std::size_t kMaximumValues = 2'000'000;  // aliases count each time: a small text may stand for a huge tree
constexpr int kMaximumDepth = 32;

struct Refused {
  int line;
  std::string what;
};

std::optional<std::uint32_t> hex4(std::string_view text, std::size_t at) {
  std::uint32_t value = 0;
  if (at + 4 > text.size()) return std::nullopt;
  auto [end, failure] = std::from_chars(text.data() + at, text.data() + at + 4, value, 16);
  if (failure != std::errc() || end != text.data() + at + 4) return std::nullopt;
  return value;
}

// JSON writes characters beyond the basic plane as two \u escapes, which YAML does not know: \U0001F4E6 instead.
std::string join_surrogates(std::string_view json) {
  std::string out;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] != '\\' || i + 1 == json.size()) {
      out += json[i];
      continue;
    }
    auto high = json[i + 1] == 'u' ? hex4(json, i + 2) : std::nullopt;
    auto low =
        high && *high >= 0xD800 && *high < 0xDC00 && json.substr(i + 6, 2) == "\\u" ? hex4(json, i + 8) : std::nullopt;
    if (low && *low >= 0xDC00 && *low < 0xE000) {
      out += fmt::format("\\U{:08X}", 0x10000 + ((*high - 0xD800) << 10) + (*low - 0xDC00));
      i += 11;
    } else {
      out += json.substr(i, 2);
      ++i;
    }
  }
  return out;
}

std::optional<double> parse_real(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  // from_chars also takes `inf` and `nan`, which are words here.
  if (text.empty() || text.find_first_of("0123456789") == text.npos || ascii_lower(text.front()) == 'n' ||
      ascii_lower(text.front()) == 'i')
    return std::nullopt;
  double value = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

Tree scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return Tree(text);  // quoted
  if (text.empty() || text == "~" || iequals(text, "null")) return Tree();
  for (auto word : {"true", "yes", "on"})
    if (iequals(text, word)) return Tree(true);
  for (auto word : {"false", "no", "off"})
    if (iequals(text, word)) return Tree(false);
  if (auto integer = parse_int(text)) return Tree(*integer);
  if (auto real = parse_real(text)) return Tree(*real);
  return Tree(text);
}

class Reader {
 public:
  Tree read(const YAML::Node& node, int depth = 0) {
    int line = node.Mark().line + 1;
    if (depth > kMaximumDepth) throw Refused{line, "nested too deeply"};
    if (++values_ > kMaximumValues) throw Refused{line, "too many values"};
    Tree tree = node.IsMap() ? read_map(node, depth) : node.IsSequence() ? read_list(node, depth) : Tree();
    if (node.IsScalar()) {
      tree = scalar(node);
      tree.plain = node.Scalar();
    }
    tree.line = line;
    return tree;
  }

 private:
  Tree read_map(const YAML::Node& node, int depth) {
    Tree::Map map;
    std::set<std::string> seen;
    for (const auto& entry : node) {
      int line = entry.first.Mark().line + 1;
      if (!entry.first.IsScalar()) throw Refused{line, "a key must be a word"};
      const auto& key = entry.first.Scalar();
      if (!seen.insert(key).second) throw Refused{line, fmt::format("{} is given twice", key)};
      map.emplace_back(key, read(entry.second, depth + 1)).second.line = line;
    }
    return Tree(std::move(map));
  }

  Tree read_list(const YAML::Node& node, int depth) {
    Tree::List list;
    for (const auto& item : node) list.push_back(read(item, depth + 1));
    return Tree(std::move(list));
  }

  std::size_t values_ = 0;
};

// Whether the text, unquoted, would be read as something else than this text.
bool needs_quotes(const std::string& text) {
  if (std::ranges::any_of(text, [](unsigned char c) { return c < ' ' || c == 0x7F; })) return true;
  if (text.empty() || text == "~" || parse_int(text) || parse_real(text)) return true;
  for (auto word : {"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
    if (iequals(text, word)) return true;
  return false;
}

// Lines that a literal block gives back as they are: each ends, the last one too, and none is empty or indented.
bool is_block(const std::string& text) {
  if (!text.ends_with('\n') || text.contains("\n\n") || text.contains("\n ") || text.starts_with('\n')) return false;
  return text.front() != ' ' &&
         std::ranges::none_of(text, [](unsigned char c) { return (c < ' ' && c != '\n') || c == 0x7F; });
}

void emit(YAML::Emitter& out, const Tree& tree) {
  if (auto map = tree.map()) {
    if (map->empty()) out << YAML::Flow;
    out << YAML::BeginMap;
    for (const auto& [key, value] : *map) {
      out << YAML::Key << key << YAML::Value;
      emit(out, value);
    }
    out << YAML::EndMap;
  } else if (auto list = tree.list()) {
    if (list->empty()) out << YAML::Flow;
    out << YAML::BeginSeq;
    for (const auto& item : *list) emit(out, item);
    out << YAML::EndSeq;
  } else if (auto text = tree.text()) {
    if (is_block(*text))
      out << YAML::Literal;
    else if (needs_quotes(*text))
      out << YAML::DoubleQuoted;
    out << *text;
  } else if (auto flag = tree.flag()) {
    out << *flag;
  } else if (auto integer = tree.integer()) {
    out << *integer;
  } else if (auto real = tree.real()) {
    out << fmt::format("{}", *real);
  } else {
    out << YAML::Null;
  }
}

}  // namespace

Result<Tree> parse_tree(std::string_view text) {
  if (text.size() > kMaximumBytes) return fail(ErrorKind::Limit, "the document is larger than 64 MB");
  if (!is_utf8(text)) return fail(ErrorKind::Invalid, "the document is not UTF-8");
  try {
    auto json = trim(text).starts_with('{');
    auto node = YAML::Load(json ? join_surrogates(text) : std::string(text));
    return Reader().read(node);
  } catch (const YAML::Exception& failure) {
    return fail(ErrorKind::Invalid,
                fmt::format("line {}, column {}: {}", failure.mark.line + 1, failure.mark.column + 1, failure.msg));
  } catch (const Refused& refused) {
    return fail(ErrorKind::Invalid, fmt::format("line {}: {}", refused.line, refused.what));
  }
}

std::string to_yaml(const Tree& tree) {
  YAML::Emitter out;
  emit(out, tree);
  return std::string(out.c_str()) + "\n";
}

}  // namespace posthaste::manage
