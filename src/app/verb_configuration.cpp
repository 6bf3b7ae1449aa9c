// config check|show|sample|convert|reference, version, default-dkim-record, console.
#include "app/command.h"
#include "base/json.h"
#include "base/strings.h"
#include "base/version.h"
#include "trust/dkim.h"

namespace posthaste::app {

namespace {

int check(Call& call) {
  const auto loaded = config::load(call.load);
  const auto& lines = loaded ? loaded->warnings : loaded.error();
  if (call.json) {
    JsonWriter json;
    json.begin_object().field("ok", loaded.has_value()).key(loaded ? "warnings" : "errors").begin_array();
    for (const auto& text : lines) json.value(text);
    call.line(json.end_array().end_object().text());
  } else {
    for (const auto& text : lines) call.line((loaded ? "warning: " : "error: ") + text);
    if (loaded) call.line("OK");
  }
  return loaded ? kDone : kNegative;
}

int show(Call& call, const std::string& key, bool reveal) {
  std::vector<config::ShownSetting> settings;
  for (auto& setting : config::show(call.load, reveal)) {
    if (key.empty() || setting.key == key || setting.key.starts_with(key + '.')) settings.push_back(std::move(setting));
  }
  if (settings.empty())
    return call.fail(kNotFound, fmt::format("There is no setting {}. `config show` lists all.", key));
  if (call.json) {
    JsonWriter json;
    json.begin_array();
    for (const auto& s : settings)
      json.begin_object().field("key", s.key).field("value", s.value).field("source", s.source).end_object();
    call.line(json.end_array().text());
    return kDone;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& s : settings) rows.push_back({s.key, s.value, s.source});
  call.print(table({"KEY", "VALUE", "SOURCE"}, rows));
  return kDone;
}

int convert(Call& call) {
  const auto converted = config::convert(call.load);
  if (!converted) {
    for (const auto& text : converted.error()) call.note(text);
    return kConfiguration;
  }
  for (const auto& text : converted->left_out) call.note(text);
  call.print(converted->yaml);
  return kDone;
}

int default_dkim_record(Call& call) {
  const auto key = trust::SigningKey::from_file(call.config->postal.signing_key_path);
  if (!key) return call.fail(kConfiguration, fmt::format("{} {}", key.error().text, key.error().cause));
  if (call.json)
    call.line(fmt::format(R"({{"record":{}}})", json_quote(key->record())));
  else
    call.line(key->record());
  return kDone;
}

}  // namespace

void add_configuration(CommandLine& line) {
  auto* config = line.root().add_subcommand("config", "The configuration")->require_subcommand(1);
  line.add(config->add_subcommand("check", "Say OK, or all errors of the file and the environment"), Needs::Nothing,
           check);

  struct Show {
    std::string key;
    bool reveal = false;
  };
  const auto options = std::make_shared<Show>();
  auto* show_app =
      config->add_subcommand("show", "Every key with its value and where it came from; secrets are masked");
  show_app->add_option("KEY", options->key, "Only this key or group");
  show_app->add_flag("--reveal", options->reveal, "Show secrets");
  line.add(show_app, Needs::Nothing, [options](Call& call) { return show(call, options->key, options->reveal); });
  line.add(config->add_subcommand("sample", "Print a complete configuration file with all defaults"), Needs::Nothing,
           [](Call& call) {
             call.print(config::sample());
             return kDone;
           });
  line.add(
      config->add_subcommand("convert", "Print the file in the current format; what could not be carried is named"),
      Needs::Nothing, convert);
  line.add(config->add_subcommand("reference", "Print docs/configuration.md"), Needs::Nothing, [](Call& call) {
    call.print(config::reference_markdown());
    return kDone;
  });

  line.add(line.root().add_subcommand("version", "Print the version"), Needs::Nothing, [](Call& call) {
    call.line(call.json ? fmt::format(R"({{"version":"{}"}})", kVersion) : std::string(kVersion));
    return kDone;
  });
  line.add(line.root().add_subcommand("default-dkim-record",
                                      "Print the DKIM record of the installation's return path domain"),
           Needs::Configuration, default_dkim_record);
  line.add(line.root().add_subcommand("console", "Postal's Ruby prompt")->group(""), Needs::Nothing, [](Call& call) {
    return call.fail(
        kUsage,
        "Posthaste has no console. What it was used for: `user`, `server`, `domain`, `credential`, `queue`, "
        "`messages`, `held`, `export` and `apply`; `--help` lists all commands.");
  });
}

}  // namespace posthaste::app
