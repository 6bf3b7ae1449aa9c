// bootstrap: the files of a new installation. initialize, migrate (upgrade, update, upgrade-db): its databases.
#include <filesystem>

#include "app/command.h"
#include "app/files.h"
#include "base/json.h"
#include "base/random.h"
#include "trust/dkim.h"

namespace posthaste::app {

namespace {

namespace fs = std::filesystem;

std::string database_section(bool mariadb) {
  if (!mariadb) return "";
  return R"(
main_db:
  host: 127.0.0.1
  username: postal
  password: postal
  database: postal

message_db:
  host: 127.0.0.1
  username: postal
  password: postal
  database_name_prefix: postal
)";
}

std::string settings_file(const std::string& host, bool mariadb) {
  const bool local = host == "localhost";
  return fmt::format(
      R"(# Posthaste's configuration. `posthaste config sample` prints every key with its meaning.
version: 2

posthaste:
  profile: modern
  database: {database}

postal:
  web_hostname: {host}
  web_protocol: {protocol}
  smtp_hostname: {host}
  use_resent_sender_header: false

web_server:
  default_port: 5000
  default_bind_address: 127.0.0.1
{allowed}
smtp_server:
  default_port: {port}
  default_bind_address: "{bind}"

dns:
  # Names of this installation. They need records of their own: mx and rp point here, spf lists your addresses.
  mx_records: [mx.{domain}]
  spf_include: spf.{domain}
  return_path_domain: rp.{domain}
  route_domain: routes.{domain}
  track_domain: track.{domain}
{databases}
rails:
  secret_key: {secret}
)",
      fmt::arg("host", host), fmt::arg("allowed", local ? "  allowed_hosts: [127.0.0.1, \"[::1]\"]\n" : ""),
      fmt::arg("protocol", local ? "http" : "https"), fmt::arg("database", mariadb ? "mariadb" : "sqlite"),
      fmt::arg("port", local ? 2525 : 25), fmt::arg("bind", local ? "127.0.0.1" : "::"),
      fmt::arg("domain", local ? "localhost.localdomain" : host), fmt::arg("databases", database_section(mariadb)),
      fmt::arg("secret", random_hex(256)));
}

struct Bootstrap {
  std::string host, folder = ".", database = "sqlite";
  bool force = false;
};

int bootstrap(Call& call, const Bootstrap& options) {
  const fs::path folder = options.folder;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return call.fail(kFailed, fmt::format("{} cannot be created: {}.", folder.string(), error.message()));
  struct File {
    std::string name;
    mode_t mode;
    std::function<std::string()> content;
  };
  const File files[] = {
      {"postal.yml", 0640, [&] { return settings_file(options.host, options.database == "mariadb"); }},
      {"signing.key", 0600, [] { return trust::SigningKey::generate_rsa_pem(2048); }},
  };
  JsonWriter json;
  json.begin_array();
  for (const auto& file : files) {
    const fs::path path = folder / file.name;
    if (fs::exists(path) && !options.force) {
      call.note(path.string() + " exists and stays as it is (--force replaces it).");
      continue;
    }
    if (const auto written = write_file(path.string(), file.content(), file.mode); !written)
      return call.fail(written.error());
    json.value(path.string());
    if (!call.json) call.line("Wrote " + path.string());
  }
  if (call.json)
    call.line(json.end_array().text());
  else
    call.line(
        fmt::format("Next: posthaste --config {0} initialize, make-user, and run.", (folder / "postal.yml").string()));
  if (call.quiet) call.out.clear();
  return kDone;
}

int initialize(Call& call) {
  const auto reports = store::Store::initialize(*call.config);
  if (!reports) return call.fail(reports.error());
  JsonWriter json;
  json.begin_array();
  for (const auto& report : *reports) {
    json.begin_object()
        .field("database", report.database)
        .field("from", report.from)
        .field("to", report.to)
        .end_object();
    if (!call.json && !call.quiet)
      call.line(report.from == report.to
                    ? fmt::format("{}: up to date (version {})", report.database, report.to)
                    : fmt::format("{}: version {} -> {}", report.database, report.from, report.to));
  }
  if (call.json) call.line(json.end_array().text());
  return kDone;
}

// Looks without touching anything.
int check_migrations(Call& call) {
  const auto store = store::Store::open(*call.config, {.read_only = true, .reader_connections = 1});
  const bool pending = !store && store.error().kind == ErrorKind::Invalid;
  if (!store && !pending) return call.fail(store.error());
  if (call.json)
    call.line(JsonWriter().begin_object().field("pending", pending).end_object().text());
  else
    call.line(pending ? store.error().text : "The databases are up to date.");
  return pending ? kNegative : kDone;
}

}  // namespace

void add_setup(CommandLine& line) {
  const auto options = std::make_shared<Bootstrap>();
  auto* app = line.root().add_subcommand("bootstrap", "Write the configuration and keys of a new installation");
  app->add_option("HOSTNAME", options->host, "Name of this host as others reach it, e.g. postal.example.com")
      ->required();
  app->add_option("DIR", options->folder, "Where to (default: here)");
  app->add_option("--database", options->database, "sqlite or mariadb")->check(CLI::IsMember({"sqlite", "mariadb"}));
  app->add_flag("--force", options->force, "Replace files that exist");
  line.add(app, Needs::Nothing, [options](Call& call) { return bootstrap(call, *options); });

  line.add(
      line.root().add_subcommand("initialize", "Create what is missing of the databases and bring them up to date"),
      Needs::Configuration, initialize);
  for (const char* name : {"upgrade", "migrate", "update", "upgrade-db"}) {
    auto* upgrade = line.root().add_subcommand(name, "Bring the databases up to date");
    if (std::string_view(name) != "upgrade") upgrade->group("");
    const auto check = std::make_shared<bool>(false);
    upgrade->add_flag("--check", *check, "Change nothing; status 7 when something is pending");
    line.add(upgrade, Needs::Configuration,
             [check](Call& call) { return *check ? check_migrations(call) : initialize(call); });
  }
}

}  // namespace posthaste::app
