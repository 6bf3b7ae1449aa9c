// config check|show|sample|convert|reference, version, default-dkim-record, console.
#include <filesystem>

#include "app/command.h"
#include "base/json.h"
#include "base/strings.h"
#include "base/version.h"
#include "intake/smtp_server.h"
#include "trust/dkim.h"

namespace posthaste::app {

namespace {

// Files that a start depends on; what is wrong with them, and what that means.
std::vector<std::string> wrong_files(const config::Config& config) {
  std::vector<std::string> wrong;
  const std::string& key_path = config.postal.signing_key_path;
  const bool made_at_start = config.sqlite() && !std::filesystem::exists(key_path);
  if (const auto key = trust::SigningKey::from_file(key_path); !key && !made_at_start)
    wrong.push_back(
        fmt::format("postal.signing_key_path: {} {}: nothing starts without it", key.error().text, key.error().cause));

  bool starttls = false, implicit = false;
  const auto listenings = intake::listenings_of(config);
  for (const auto& listening : listenings) {
    starttls = starttls || (listening.settings.tls_enabled && !listening.settings.implicit_tls);
    implicit = implicit || listening.settings.implicit_tls;
  }
  if (!starttls && !implicit) return wrong;
  const auto tls = io::TlsContext::server(listenings.front().tls);
  if (tls) return wrong;
  std::vector<std::string> means;
  if (starttls) means.emplace_back("Posthaste would run WITHOUT STARTTLS.");
  if (implicit) means.emplace_back("Listeners with smtps:// would not open.");
  wrong.push_back(fmt::format("smtp_server.tls_certificate_path, smtp_server.tls_private_key_path: {}. {}",
                              tls.error().text, join(means, " ")));
  return wrong;
}

int check(Call& call) {
  const auto loaded = config::load(call.load);
  const std::vector<std::string> errors = loaded ? wrong_files(loaded->config) : loaded.error();
  const std::vector<std::string> warnings = loaded ? loaded->warnings : std::vector<std::string>{};
  if (call.json) {
    JsonWriter json;
    json.begin_object().field("ok", errors.empty());
    const auto list = [&](std::string_view name, const std::vector<std::string>& lines) {
      json.key(name).begin_array();
      for (const auto& text : lines) json.value(text);
      json.end_array();
    };
    list("errors", errors);
    list("warnings", warnings);
    call.line(json.end_object().text());
  } else {
    for (const auto& text : errors) call.line("error: " + text);
    for (const auto& text : warnings) call.line("warning: " + text);
    if (errors.empty()) call.line("OK");
  }
  return errors.empty() ? kDone : kNegative;
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
