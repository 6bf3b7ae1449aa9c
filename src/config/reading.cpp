// From file and environment to values.
//
// The file is found and parsed, the profile is decided (its defaults depend on it), then each setting takes the first
// that has it of: its variable, the file that its `_FILE` variable names, the configuration file, the default. Last
// come the defaults that are made of other settings.
#include "config/reading.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/strings.h"

namespace posthaste::config {

namespace {

namespace fs = std::filesystem;

std::string absolute(const std::string& path) { return fs::absolute(path).lexically_normal().string(); }

std::optional<std::string> read_file(const std::string& path) {
  if (!fs::is_regular_file(path)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

class Reader {
 public:
  explicit Reader(const LoadOptions& options) : options_(options) {}

  Reading read() {
    open_document();
    decide_profile();
    for (const auto& setting : settings()) out_.values[setting.key] = resolve(setting);
    derive();
    if (!out_.file.empty()) append(out_.warnings, unknown_keys(document_, out_.file));
    return std::move(out_);
  }

 private:
  static void append(std::vector<std::string>& to, std::vector<std::string> more) {
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }

  std::optional<std::string> variable(const std::string& name) const { return options_.environment(name); }

  void notice(std::string text) {
    if (variable("SILENCE_POSTAL_CONFIG_MESSAGES") != "true") out_.notices.push_back(std::move(text));
  }

  void open_document() {
    const FileChoice choice = choose_file(options_);
    out_.root = fs::path(absolute(choice.path)).parent_path().string();
    document_.empty = true;
    if (!choice.exists) {
      if (choice.demanded)
        out_.errors.push_back(
            fmt::format("--config: there is no file {}; `posthaste bootstrap HOSTNAME {}` writes a postal.yml there, "
                        "script/server sets up a whole installation to try",
                        absolute(choice.path), out_.root));
      notice(fmt::format("No configuration file found at {}", choice.path));
      notice("Only using environment variables for configuration");
      return;
    }
    out_.file = absolute(choice.path);
    notice(fmt::format("Loading config from {}", choice.path));
    const auto text = read_file(choice.path);
    if (!text) return out_.errors.push_back(fmt::format("{}: cannot be read", choice.path));
    auto document = parse_document(*text);
    if (!document) return out_.errors.push_back(fmt::format("{}: {}", choice.path, document.error()));
    document_ = std::move(*document);
    if (document_.version == 1) {
      notice("WARNING: Using legacy config file format.");
      notice("The file has version 1. It keeps working, but newer settings have no name in it.");
      notice("`posthaste config sample` prints the current format, docs/configuration.md names both.");
    }
  }

  // The profile is needed before any default is; resolve() reports what is wrong with the setting.
  void decide_profile() {
    const bool section = document_.groups.contains("posthaste");
    out_.profile = out_.file.empty() || section ? Profile::Modern : Profile::Postal;
    const Setting& setting = *find_setting("posthaste.profile");
    std::vector<std::string> ignored;
    const Resolved named = resolve(setting, ignored, ignored);
    if (const auto* name = std::get_if<std::string>(&named.value))
      out_.profile = *name == "postal" ? Profile::Postal : Profile::Modern;
  }

  struct Given {
    Raw raw;
    std::string source;
  };

  Resolved resolve(const Setting& setting) { return resolve(setting, out_.errors, out_.warnings); }

  Resolved resolve(const Setting& setting, std::vector<std::string>& errors, std::vector<std::string>& warnings) {
    Resolved resolved{default_of(setting)};
    const auto given = find(setting, errors, warnings);
    if (!given) return resolved;
    const auto complain = [&](std::vector<std::string>& list, const std::string& what) {
      list.push_back(fmt::format("{}: {}: {}", given->source, setting.key, what));
    };
    auto result = cast(setting, given->raw);
    if (!result) return complain(errors, result.error()), resolved;
    resolved.source = given->source;
    if (result->empty) {
      if (setting.is_optional) resolved.value = {};
      return resolved;
    }
    if (setting.error)
      if (auto wrong = setting.error(result->value); !wrong.empty()) return complain(errors, wrong), resolved;
    if (setting.doubt)
      if (auto doubt = setting.doubt(result->value); !doubt.empty()) complain(warnings, doubt);
    if (!result->doubt.empty()) complain(warnings, result->doubt);
    resolved.value = expand(setting, std::move(result->value));
    resolved.given = true;
    if (!setting.acts() && resolved.value != default_of(setting)) complain(warnings, "has no effect in this version");
    return resolved;
  }

  Value default_of(const Setting& setting) const { return expand(setting, setting.default_for(out_.profile)); }

  Value expand(const Setting& setting, Value value) const {
    if (!setting.is_path) return value;
    if (auto* path = std::get_if<std::string>(&value); path && !path->empty()) return expand(*path);
    if (auto* pairs = std::get_if<std::vector<std::string>>(&value)) {
      for (auto& pair : *pairs) {  // `one|other`
        std::vector<std::string> paths;
        for (const auto part : split(pair, '|')) paths.push_back(part.empty() ? std::string() : expand(part));
        pair = join(paths, "|");
      }
    }
    return value;
  }

  std::string expand(std::string_view path) const {
    static constexpr std::string_view kRoot = "$config-file-root";
    std::string text;
    for (std::size_t i = 0; i < path.size();) {
      if (istarts_with(path.substr(i), kRoot)) {
        text += out_.root;
        i += kRoot.size();
      } else {
        text += path[i++];
      }
    }
    return absolute(text);
  }

  std::optional<Given> find(const Setting& setting, std::vector<std::string>& errors,
                            std::vector<std::string>& warnings) {
    const std::string name = setting.variable();
    const auto direct = variable(name), file = variable(name + "_FILE");
    if (direct && file && !file->empty()) {
      errors.push_back(fmt::format("{}: {}: {}_FILE is set, too; only one may be", name, setting.key, name));
      return std::nullopt;
    }
    if (direct && setting.type == Type::Integer && direct->starts_with("tcp://")) {
      warnings.push_back(
          fmt::format("{}: {}: ignored, \"{}\" looks like a variable that an orchestrator made for a service", name,
                      setting.key, *direct));
    } else if (direct) {
      return Given{raw_variable(setting, *direct), name};
    }
    if (file && !file->empty()) return from_secret_file(setting, name + "_FILE", *file, errors);
    return from_document(setting, errors);
  }

  std::optional<Given> from_secret_file(const Setting& setting, const std::string& name, const std::string& path,
                                        std::vector<std::string>& errors) {
    auto text = read_file(path);
    if (!text) {
      errors.push_back(fmt::format("{}: {}: the file {} cannot be read", name, setting.key, path));
      return std::nullopt;
    }
    if (text->ends_with('\n')) text->pop_back();
    if (text->ends_with('\r')) text->pop_back();
    return Given{raw_variable(setting, *text), name};
  }

  std::optional<Given> from_document(const Setting& setting, std::vector<std::string>& errors) {
    const bool old = document_.version == 1;
    const Entry* entry = document_.find(old ? setting.v1_path : setting.key);
    if (!entry && old && setting.key == "dns.helo_hostname") entry = document_.find("dns.helo_domain");
    if (!entry) return std::nullopt;
    const std::string source = fmt::format("{}:{}", out_.file, entry->line);
    if (!entry->problem.empty()) {
      errors.push_back(fmt::format("{}: {}: {}", source, setting.key, entry->problem));
      return std::nullopt;
    }
    const bool nothing = !entry->raw.is_list && entry->raw.items.front().kind == Scalar::Kind::Nothing;
    if (old && nothing) return std::nullopt;
    return Given{entry->raw, source};
  }

  void derive() {
    auto& values = out_.values;
    if (auto& banner = values["smtp_server.banner_hostname"]; to_text(banner.value).empty())
      banner.value = values["postal.smtp_hostname"].value;
    if (auto& limit = values["api.max_message_size"]; !limit.given && out_.profile == Profile::Modern)
      limit.value = std::get<std::int64_t>(values["smtp_server.max_message_size"].value) * 1024 * 1024;
    if (auto& database = values["posthaste.database"]; to_text(database.value) == "auto")
      database.value = std::string(mentions_main_db() ? "mariadb" : "sqlite");
    if (auto& level = values["logging.level"]; !level.given && values["logging.rails_log_enabled"].value == Value(true))
      level.value = std::string("debug");
    values["posthaste.profile"].value = std::string(out_.profile == Profile::Postal ? "postal" : "modern");
  }

  bool mentions_main_db() const {
    return std::ranges::any_of(
        out_.values, [](const auto& item) { return item.first.starts_with("main_db.") && item.second.given; });
  }

  const LoadOptions& options_;
  Document document_;
  Reading out_;
};

std::string with_suggestion(std::string text, const std::string& nearest) {
  return nearest.empty() ? text : text + fmt::format("; did you mean {}?", nearest);
}

bool read_in_version_1(const std::string& path) {
  if (path == "dns.helo_domain") return true;
  return std::ranges::any_of(settings(), [&](const Setting& setting) { return setting.v1_path == path; });
}

}  // namespace

FileChoice choose_file(const LoadOptions& options) {
  if (options.path) return {*options.path, fs::is_regular_file(*options.path), true};
  for (const char* name : {"POSTHASTE_CONFIG", "POSTAL_CONFIG_FILE_PATH"})
    if (auto path = options.environment(name); path && !path->empty())
      return {*path, fs::is_regular_file(*path), false};
  static constexpr const char* kPlaces[] = {"config/postal/postal.yml", "/config/postal.yml",
                                            "/opt/postal/config/postal.yml", "/etc/posthaste/postal.yml"};
  for (const char* place : kPlaces)
    if (fs::is_regular_file(place)) return {place, true, false};
  return {kPlaces[0], false, false};
}

std::vector<std::string> unknown_keys(const Document& document, const std::string& file) {
  std::vector<std::string> warnings, obsolete;
  for (const auto& [path, entry] : document.entries) {
    if (document.version == 1) {
      if (!read_in_version_1(path)) obsolete.push_back(path);
    } else if (!find_setting(path)) {
      warnings.push_back(with_suggestion(fmt::format("{}:{}: {}: unknown setting, ignored", file, entry.line, path),
                                         nearest_key(path)));
    }
  }
  if (!obsolete.empty())
    warnings.push_back(
        fmt::format("{}: settings that are not read from a version 1 file: {}", file, join(obsolete, ", ")));
  return warnings;
}

Reading read_settings(const LoadOptions& options) { return Reader(options).read(); }

}  // namespace posthaste::config
