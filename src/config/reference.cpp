// The table as documents: a sample file and the reference page.
#include "base/strings.h"
#include "config/setting.h"

namespace posthaste::config {

namespace {

// The groups in the order in which the table names them first, each with its settings.
std::vector<std::pair<std::string, std::vector<const Setting*>>> by_group() {
  std::vector<std::pair<std::string, std::vector<const Setting*>>> groups;
  for (const auto& setting : settings()) {
    const std::string name = setting.group();
    auto found = std::ranges::find_if(groups, [&](const auto& group) { return group.first == name; });
    if (found == groups.end()) found = groups.insert(groups.end(), {name, {}});
    found->second.push_back(&setting);
  }
  return groups;
}

std::string code(const std::string& text) { return text.empty() ? "" : "`" + replace_all(text, "|", "\\|") + "`"; }

std::string default_column(const Setting& setting) {
  if (!setting.derived.empty()) return setting.derived;
  const auto shown = [](const Value& value) {
    const std::string text = to_text(value);
    return text.empty() ? std::string("empty") : code(text);
  };
  if (!setting.modern_fallback) return shown(setting.fallback);
  return fmt::format("{}; `modern`: {}", shown(setting.fallback), shown(*setting.modern_fallback));
}

std::string row(const Setting& setting) {
  static constexpr std::string_view kTypes[] = {"text", "integer", "boolean", "number", "list"};
  std::string text = replace_all(setting.text, "|", "\\|");
  if (setting.is_secret) text += " Secret.";
  if (!setting.acts()) text += " *No effect yet.*";
  return fmt::format("| `{}` | {} | {} | {} | {} |\n", setting.key, kTypes[static_cast<std::size_t>(setting.type)],
                     default_column(setting), setting.is_ours ? "" : code(setting.v1_path), text);
}

constexpr std::string_view kIntroduction = R"(# Configuration

<!-- Written by `posthaste config reference`; change the table in src/config/settings_*.cpp instead. -->

One YAML file, environment variables, or both; every setting has a default. `posthaste config check` reports all mistakes
at once, `posthaste config show` prints each value with its source, `posthaste config sample` prints a complete file.

**The file** is the one of `--config`, else of the variable `POSTHASTE_CONFIG`, else of `POSTAL_CONFIG_FILE_PATH`, else the
first that exists of `config/postal/postal.yml`, `/config/postal.yml`, `/opt/postal/config/postal.yml` and
`/etc/posthaste/postal.yml`. Postal's files are read as they are, version 2 (the names below) and version 1 (the column
*version 1*; settings that Posthaste adds have the same name there). Numbers and booleans are read as Postal reads them:
`010` is 8, `yes` is true in the file.

**The environment** wins over the file. The variable of `worker.threads` is `WORKER_THREADS`; items of a list stand
between commas. `MAIN_DB_PASSWORD_FILE` names a file that holds the value, for any setting. A file `.env` in the current
directory is read, too. Only `true`, `1` and `1.0` turn a boolean on.

**Empty values** mean the default, except where the default is empty or the text says what empty means. In paths,
`$config-file-root` is the file's directory.

**The profile** (`posthaste.profile`) decides defaults on which Postal's behaviour and good practice differ: `postal` is
taken for a file without a `posthaste:` section, `modern` otherwise. Any single setting can still be set by itself.
)";

}  // namespace

std::string sample() {
  std::string out = "version: 2\n";
  for (const auto& [group, members] : by_group()) {
    out += fmt::format("\n{}:\n", group);
    for (const auto* setting : members) {
      out += fmt::format("  # {}\n", setting->text);
      const std::string value = to_yaml(setting->default_for(Profile::Modern));
      // A given `main_db` setting would choose MariaDB.
      const bool made = !setting->derived.empty() || value.empty() || group == "main_db";
      out += made ? fmt::format("  # {}: {}\n", setting->name(), value)
                  : fmt::format("  {}: {}\n", setting->name(), value);
    }
  }
  // A group whose settings are all commented out is an empty group, which is allowed.
  return out;
}

std::string reference_markdown() {
  std::string out(kIntroduction);
  for (const auto& [group, members] : by_group()) {
    out += fmt::format("\n## {}\n\n| setting | type | default | version 1 | meaning |\n|---|---|---|---|---|\n", group);
    for (const auto* setting : members) out += row(*setting);
  }
  return out;
}

}  // namespace posthaste::config
