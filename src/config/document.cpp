#include "config/document.h"

#include <yaml-cpp/yaml.h>

#include <regex>

#include "base/strings.h"

namespace posthaste::config {

namespace {

// Postal's own sample has `default_bind_address: ::`, which is no YAML: such a value is put in quotes.
std::string quote_leading_colons(std::string_view text) {
  static const std::regex form(R"(^(\s*(?:-\s+)?[A-Za-z0-9_]+:[ \t]+)(:[^\s"'#]*)([ \t]*(?:#.*)?\r?)$)");
  std::string out;
  for (auto line : split(text, '\n')) {
    if (!out.empty() || line.data() != text.data()) out += '\n';
    out += std::regex_replace(std::string(line), form, "$1\"$2\"$3");
  }
  return out;
}

Scalar scalar_of(const YAML::Node& node) {
  if (node.IsNull()) return {};
  const bool plain = node.Tag() == "?" || node.Tag().empty();
  return plain ? read_plain_scalar(node.Scalar()) : Scalar{Scalar::Kind::Text, node.Scalar()};
}

// A version 1 relay, `{hostname, port, ssl_mode}`, as the URL that version 2 has. Empty when it is none.
std::string relay_url(const YAML::Node& node) {
  if (!node.IsMap() || !node["hostname"]) return {};
  const auto part = [&](const char* name, std::string_view fallback) {
    const YAML::Node value = node[name];
    const std::string text = value ? scalar_of(value).text : std::string();
    return text.empty() ? std::string(fallback) : text;
  };
  std::string host = part("hostname", "");
  if (host.find(':') != std::string::npos && !host.starts_with('[')) host = "[" + host + "]";
  return fmt::format("smtp://{}:{}?ssl_mode={}", host, part("port", "25"), part("ssl_mode", "Auto"));
}

Entry entry_of(const YAML::Node& node) {
  Entry entry;
  entry.line = node.Mark().line + 1;
  if (!node.IsSequence()) {
    entry.raw.items.push_back(scalar_of(node));
    return entry;
  }
  entry.raw.is_list = true;
  for (const auto& item : node) {
    if (item.IsMap())
      if (auto url = relay_url(item); !url.empty()) {
        entry.raw.items.push_back({Scalar::Kind::Text, url});
        continue;
      }
    if (item.IsScalar() || item.IsNull())
      entry.raw.items.push_back(scalar_of(item));
    else
      entry.problem = "must be a list of plain values";
  }
  return entry;
}

// Later entries of the same name replace earlier ones.
void flatten(const YAML::Node& map, const std::string& prefix, int depth, Document& into) {
  for (const auto& item : map) {
    const std::string path = prefix + item.first.Scalar();
    if (item.second.IsMap() && depth < 4)
      flatten(item.second, path + ".", depth + 1, into);
    else if (depth > 0 || !item.second.IsNull())
      into.entries[path] = entry_of(item.second);
  }
}

std::expected<int, std::string> version_of(const YAML::Node& root) {
  std::optional<Scalar> found;
  for (const auto& item : root)
    if (item.first.IsScalar() && item.first.Scalar() == "version") found = scalar_of(item.second);
  if (!found || found->kind == Scalar::Kind::Nothing) return 1;
  if (found->text == "1" || found->text == "1.0") return 1;
  if (found->text == "2" || found->text == "2.0") return 2;
  return std::unexpected("Invalid version specified in Postal config file. Must be 1 or 2.");
}

std::expected<Document, std::string> read_root(const YAML::Node& root) {
  Document document;
  if (!root || root.IsNull()) return document.empty = true, document;
  if (!root.IsMap()) return std::unexpected("must be a map of groups");
  for (const auto& item : root)
    if (!item.first.IsScalar()) return std::unexpected("must be a map of groups with plain names");
  auto version = version_of(root);
  if (!version) return std::unexpected(version.error());
  document.version = *version;
  for (const auto& item : root) document.groups.insert(item.first.Scalar());
  flatten(root, "", 0, document);
  document.entries.erase("version");
  document.groups.erase("version");
  return document;
}

}  // namespace

const Entry* Document::find(const std::string& path) const {
  const auto found = entries.find(path);
  return found == entries.end() ? nullptr : &found->second;
}

std::expected<Document, std::string> parse_document(std::string_view text) {
  try {
    return read_root(YAML::Load(quote_leading_colons(text)));
  } catch (const YAML::Exception& problem) {
    return std::unexpected(fmt::format("line {}: {}", problem.mark.line + 1, problem.msg));
  }
}

}  // namespace posthaste::config
