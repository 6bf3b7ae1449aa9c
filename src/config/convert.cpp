#include "base/strings.h"
#include "config/reading.h"

namespace posthaste::config {

namespace {

std::string yaml_text(const std::string& text) {
  const std::string escaped = replace_all(replace_all(text, "\\", "\\\\"), "\"", "\\\"");
  return "\"" + replace_all(escaped, "\n", "\\n") + "\"";
}

// The environment may name the file, but its settings are not the file's.
LoadOptions without_settings(const LoadOptions& options) {
  LoadOptions bare = options;
  bare.environment = [environment = options.environment](const std::string& name) -> std::optional<std::string> {
    return name == "POSTHASTE_CONFIG" || name == "POSTAL_CONFIG_FILE_PATH" ? environment(name) : std::nullopt;
  };
  return bare;
}

// Paths below the file's folder stay so wherever the folder is.
Value relative_to_root(const Setting& setting, Value value, const std::string& root) {
  auto* path = std::get_if<std::string>(&value);
  if (setting.is_path && path && path->starts_with(root + "/")) *path = "$config-file-root" + path->substr(root.size());
  return value;
}

}  // namespace

std::string to_yaml(const Value& value) {
  if (std::holds_alternative<std::monostate>(value)) return "";
  if (const auto* text = std::get_if<std::string>(&value)) return yaml_text(*text);
  const auto* items = std::get_if<std::vector<std::string>>(&value);
  if (!items) return to_text(value);
  std::vector<std::string> quoted;
  for (const auto& item : *items) quoted.push_back(yaml_text(item));
  return "[" + join(quoted, ", ") + "]";
}

std::expected<Converted, std::vector<std::string>> convert(const LoadOptions& options) {
  const Reading reading = read_settings(without_settings(options));
  if (!reading.errors.empty()) return std::unexpected(reading.errors);
  if (reading.file.empty())
    return std::unexpected(std::vector<std::string>{"There is no configuration file to convert"});
  std::map<std::string, std::string> groups;
  std::vector<std::string> order;
  for (const auto& setting : settings()) {
    const Resolved& resolved = reading.values.at(setting.key);
    if (resolved.source == "default") continue;
    if (!groups.contains(setting.group())) order.push_back(setting.group());
    const std::string value = to_yaml(relative_to_root(setting, resolved.value, reading.root));
    groups[setting.group()] += fmt::format("  {}:{}{}\n", setting.name(), value.empty() ? "" : " ", value);
  }
  Converted converted{.yaml = "version: 2\n", .left_out = reading.warnings};
  for (const auto& group : order) converted.yaml += fmt::format("\n{}:\n{}", group, groups[group]);
  return converted;
}

}  // namespace posthaste::config
