#include "config/field.h"
#include "config/setting.h"

namespace posthaste::config {

namespace {

Settings role_settings() {
  return {
      integer("web_server.default_port", 5000, "Port of the web server; the variable `PORT` replaces it.")
          .v1("web_server.port")
          .port()
          .into(FIELD(web_server.default_port)),
      text("web_server.default_bind_address", "127.0.0.1",
           "Address of the web server; the variable `BIND_ADDRESS` replaces it.")
          .v1("web_server.bind_address")
          .into(FIELD(web_server.default_bind_address)),
      integer("web_server.max_threads", 5, "Accepted for Postal's sake; the web server needs no such limit.")
          .v1_same()
          .ignored(),
      integer("web_server.max_connections", 4096, "Connections at the same time; further ones get 503.")
          .ours()
          .at_least(1)
          .into(FIELD(web_server.max_connections)),
      list("web_server.allowed_hosts", {}, "Further values of `Host` that are let through; `*`: any.")
          .ours()
          .into(FIELD(web_server.allowed_hosts)),
      list("web_server.listeners", {}, "Listeners as URLs: `http://`, `https://`, `unix:`.").ours(),
      text("web_server.tls_certificate_path", nullptr, "Certificate (PEM) of `https://` listeners.").ours().path(),
      text("web_server.tls_private_key_path", nullptr, "Private key (PEM) of `https://` listeners.").ours().path(),
      integer("worker.default_health_server_port", 9090,
              "Port of the worker's health server; the variable `HEALTH_SERVER_PORT` replaces it.")
          .port()
          .into(FIELD(worker.default_health_server_port)),
      text("worker.default_health_server_bind_address", "127.0.0.1",
           "Address of the worker's health server; the variable `HEALTH_SERVER_BIND_ADDRESS` replaces it.")
          .into(FIELD(worker.default_health_server_bind_address)),
      integer("worker.threads", 2,
              "Accepted for Postal's sake; a worker delivers as much at the same time as its lanes allow.")
          .at_least(1)
          .ignored()
          .into(FIELD(worker.threads)),
      integer("worker.shutdown_grace", 8, "Seconds that running deliveries get to finish at shutdown.")
          .ours()
          .at_least(0)
          .into(FIELD(worker.shutdown_grace)),
      integer("health.port", 0, "One health listener for all roles of the process; 0: one per role.")
          .ours()
          .checked([](const Value& value) {
            const auto port = std::get<std::int64_t>(value);
            return port >= 0 && port <= 65535 ? std::string() : fmt::format("must be 0 or a port, is {}", port);
          })
          .not_yet()
          .into(FIELD(health.port)),
      text("health.bind_address", "127.0.0.1", "Address of that listener.")
          .ours()
          .not_yet()
          .into(FIELD(health.bind_address)),
      boolean("migration_waiter.enabled", false, "The roles wait at start until no migration is pending.")
          .into(FIELD(migration_waiter.enabled)),
      integer("migration_waiter.attempts", 120, "Looks until the role gives up.")
          .at_least(1)
          .into(FIELD(migration_waiter.attempts)),
      integer("migration_waiter.sleep_time", 2, "Seconds between looks.")
          .at_least(0)
          .into(FIELD(migration_waiter.sleep_time)),
  };
}

Settings database_settings() {
  return {
      text("main_db.host", "localhost", "Host of the main database; several, separated by commas, are tried in order.")
          .v1_same()
          .into(FIELD(main_db.host)),
      integer("main_db.port", 3306, "Its port.").v1_same().port().into(FIELD(main_db.port)),
      text("main_db.username", "postal", "User.").v1_same().into(FIELD(main_db.username)),
      text("main_db.password", nullptr, "Password.").v1_same().secret().into(FIELD(main_db.password)),
      text("main_db.database", "postal", "Name of the database.").v1_same().into(FIELD(main_db.database)),
      integer("main_db.pool_size", 5,
              "Accepted for Postal's sake; the number of connections does not grow with the load.")
          .v1_same()
          .at_least(1)
          .ignored()
          .into(FIELD(main_db.pool_size)),
      text("main_db.encoding", "utf8mb4", "Character set of the connection.").v1_same().into(FIELD(main_db.encoding)),
      text("message_db.host", "localhost", "Host of the message databases.").v1_same().into(FIELD(message_db.host)),
      integer("message_db.port", 3306, "Its port.").v1_same().port().into(FIELD(message_db.port)),
      text("message_db.username", "postal", "User; needs the right to create and drop databases of the prefix.")
          .v1_same()
          .into(FIELD(message_db.username)),
      text("message_db.password", nullptr, "Password.").v1_same().secret().into(FIELD(message_db.password)),
      text("message_db.encoding", "utf8mb4", "Character set of the connection.").into(FIELD(message_db.encoding)),
      text("message_db.database_name_prefix", "postal",
           "A mail server's database is called `<prefix>-server-<server id>`.")
          .v1("message_db.prefix")
          .into(FIELD(message_db_prefix)),
  };
}

Settings log_settings() {
  return {
      boolean("logging.rails_log_enabled", false, "Log at level `debug` unless `logging.level` is given.")
          .v1("logging.rails_log")
          .used(),
      text("logging.sentry_dsn", nullptr, "Where errors are reported to.").v1("general.exception_url").url(),
      boolean("logging.enabled", true, "Write log lines to standard output.").into(FIELD(logging.enabled)),
      boolean("logging.highlighting_enabled", false, "Colours in log lines.").into(FIELD(logging.highlighting_enabled)),
      text("logging.level", "info", "Least important lines that are written: `debug`, `info`, `warn`, `error`.")
          .ours()
          .one_of({"debug", "info", "warn", "error"})
          .into(FIELD(logging.level)),
      text("logging.format", "text", "`text` (Postal's form) or `json` (an object a line).")
          .ours()
          .one_of({"text", "json"})
          .into(FIELD(logging.format)),
      boolean("logging.smtp_dialogue", false, "Log each line of SMTP at level `debug`.")
          .ours()
          .not_yet()
          .into(FIELD(logging.smtp_dialogue)),
      text("gelf.host", nullptr, "Host that takes log lines as GELF.").v1("logging.graylog.host"),
      integer("gelf.port", 12201, "Its UDP port.").v1("logging.graylog.port").port(),
      text("gelf.facility", "postal", "Value of `facility`.").v1("logging.graylog.facility"),
  };
}

}  // namespace

Settings server_settings() {
  Settings all = role_settings();
  for (auto part : {database_settings(), log_settings()}) all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace posthaste::config
