#include "store/testing_store.h"

#include <future>

#include "base/random.h"
#include "store/schema.h"

namespace posthaste::store::testing {

namespace {

void use_mariadb(config::Config& config, sql::testing::MariaDb& server, sql::testing::MariaDb& messages) {
  const auto options = server.options();
  config.posthaste.database = "mariadb";
  config.main_db.host = options.host;
  config.main_db.port = options.port;
  config.main_db.username = options.username;
  config.main_db.password = options.password;
  config.main_db.database = "store" + random_hex(8);
  config.message_db = config.main_db;
  config.message_db.port = messages.port();
  config.message_db_prefix = config.main_db.database;
}

constexpr std::string_view kRows[] = {
    "INSERT INTO {main}`organizations` (id, uuid, name, permalink, created_at, updated_at) VALUES (1, 'o', 'Org', "
    "'org', "
    "NULL, NULL)",
    "INSERT INTO {main}`domains` (id, uuid, name, owner_type, owner_id, verified_at, outgoing, incoming) VALUES (1, "
    "'d', "
    "'sender.example', 'Server', 1, @now, 1, 1)",
    "INSERT INTO {main}`credentials` (id, server_id, type, name, `key`, hold) VALUES (1, 1, 'SMTP', 'smtp', 'smtpkey', "
    "0), "
    "(2, 1, 'API', 'api', 'apikey', 0), (3, 1, 'SMTP-IP', 'net', '10.0.0.0/8', 0)",
    "INSERT INTO {main}`routes` (id, uuid, server_id, domain_id, name, token, mode) VALUES (1, 'r', 1, 1, 'info', "
    "'RouteTok', 'Accept')",
};

}  // namespace

Installation::Installation(sql::Dialect dialect, sql::testing::MariaDb* mariadb, sql::testing::MariaDb* messages) {
  config.posthaste.data_path = folder_.file("data");
  if (dialect == sql::Dialect::Sqlite) {
    config.posthaste.database = "sqlite";
  } else {
    sql::testing::MariaDb& main = mariadb ? *mariadb : sql::testing::MariaDb::shared();
    use_mariadb(config, main, messages ? *messages : main);
  }
  if (const auto made = Store::initialize(config); !made) throw std::runtime_error(made.error().text);
  std::filesystem::create_directories(config.posthaste.data_path);
  fill();
  add_server(kServer);
}

void Installation::fill() {
  const auto connection = connect(0);
  for (const auto sql : kRows) {
    std::string text = sql::bind_names(sql, main_names(config));
    const auto now = text.find("@now");
    if (now != text.npos) text.replace(now, 4, sqlite() ? "1000000" : "UTC_TIMESTAMP()");
    connection->script(text);
  }
}

void Installation::clear() {
  config.posthaste.coexist_with_postal = false;
  for (const auto& entry : std::filesystem::directory_iterator(config.posthaste.data_path))
    if (entry.path().filename().string().starts_with("node-id")) std::filesystem::remove(entry.path());
  const auto main = connect(0);
  std::vector<Id> others;
  main->query(sql::bind_names("SELECT id FROM {main}`servers` WHERE id <> ?", main_names(config)), {kServer},
              [&](const sql::Row& row) { others.push_back(row.integer(0)); });
  for (const Id id : others) drop_database(config, id);
  for (const auto* table :
       {"organizations", "domains", "credentials", "routes", "queued_messages", "statistics", "ip_addresses",
        "ip_pool_rules", "posthaste_nodes", "posthaste_changes", "track_domains", "webhooks", "webhook_requests"})
    main->run(sql::bind_names(fmt::format("DELETE FROM {{main}}`{}`", table), main_names(config)));
  main->run(sql::bind_names("DELETE FROM {main}`servers` WHERE id <> ?", main_names(config)), {kServer});
  main->run(sql::bind_names("UPDATE {main}`servers` SET token = 'abcdef', ip_pool_id = NULL", main_names(config)));
  fill();

  const auto message = connect(kServer);
  const sql::Names names = names_of(config, kServer);
  std::vector<std::string> raw_tables;
  message->query(sql::bind_names("SELECT table_name FROM {message}`raw_message_sizes`", names), {},
                 [&](const sql::Row& row) { raw_tables.push_back(row.string(0)); });
  for (const auto& table : raw_tables) message->script(sql::bind_names("DROP TABLE {message}`" + table + "`", names));
  for (const auto* table :
       {"messages", "deliveries", "suppressions", "raw_message_sizes", "stats_hourly", "stats_daily", "stats_monthly",
        "stats_yearly", "live_stats", "links", "clicks", "loads", "webhook_requests"})
    message->run(sql::bind_names(fmt::format("DELETE FROM {{message}}`{}`", table), names));
}

Installation& fresh_installation(sql::Dialect dialect) {
  static std::unique_ptr<Installation> sqlite, mariadb;
  if (dialect == sql::Dialect::Sqlite) return *(sqlite = std::make_unique<Installation>(dialect));
  if (mariadb)
    mariadb->clear();
  else
    mariadb = std::make_unique<Installation>(dialect);
  return *mariadb;
}

void Installation::add_server(Id id) {
  const std::string name = id == kServer ? "server" : fmt::format("server{}", id);
  connect(0)->run(
      sql::bind_names("INSERT INTO {main}`servers` (id, organization_id, uuid, name, permalink, token, mode) "
                      "VALUES (?, 1, ?, ?, ?, ?, 'Live')",
                      main_names(config)),
      {id, random_uuid(), name, name, id == kServer ? "abcdef" : random_server_token()});
  if (const auto made = provision_database(config, id); !made) throw std::runtime_error(made.error().text);
}

std::unique_ptr<Store> Installation::open(const StoreOptions& options) const {
  auto store = Store::open(config, options);
  if (!store) throw std::runtime_error(store.error().text + " " + store.error().cause);
  return std::move(*store);
}

std::unique_ptr<sql::Connection> Installation::connect(Id server_id) const {
  if (config.sqlite())
    return sql::open_sqlite({.path = server_id == 0 ? main_file(config) : server_file(config, server_id)});
  return sql::open_mariadb(server_id == 0 ? main_options(config) : message_options(config));
}

std::int64_t Installation::number(Id server_id, std::string_view sql, std::initializer_list<sql::Value> values) const {
  return connect(server_id)->scalar(sql::bind_names(sql, names_of(config, server_id)), values).value_or(0);
}

std::string Installation::text(Id server_id, std::string_view sql) const {
  std::string found;
  connect(server_id)->query(sql::bind_names(sql, names_of(config, server_id)), {},
                            [&](const sql::Row& row) { found = row.string(0); });
  return found;
}

void Installation::run(Id server_id, std::string_view sql) const {
  connect(server_id)->run(sql::bind_names(sql, names_of(config, server_id)));
}

void Installation::run_main(std::string_view sql) const { connect(0)->run(sql::bind_names(sql, main_names(config))); }

std::int64_t Installation::main_number(std::string_view sql) const {
  return connect(0)->scalar(sql::bind_names(sql, main_names(config))).value_or(0);
}

Submission submission(Id server_id, std::size_t recipients, std::string body, std::string subject) {
  Submission s{.server_id = server_id,
               .timestamp = system_now(),
               .raw = RawMessage("From: a@sender.example\r\nSubject: " + subject + "\r\n\r\n" + body),
               .messages = {}};
  for (std::size_t i = 0; i < recipients; ++i) {
    NewMessage& m = s.messages.emplace_back();
    m.token = random_alphanumeric(16);
    m.rcpt_to = fmt::format("user{}@Receiver.example", i);
    m.mail_from = "a@sender.example";
    m.subject = subject;
    m.message_id = random_hex(8) + "@sender.example";
    m.domain_id = 1;
    m.credential_id = 1;
  }
  return s;
}

Result<Stored> accept(Store& store, Submission submission, bool claim) {
  auto answer = std::make_shared<std::promise<Result<Stored>>>();
  store.accept(std::move(submission), claim, [answer](Result<Stored> result) { answer->set_value(std::move(result)); });
  return answer->get_future().get();
}

Result<> conclude(Store& store, Conclusion conclusion) {
  auto answer = std::make_shared<std::promise<Result<>>>();
  store.conclude(std::move(conclusion), [answer](Result<> result) { answer->set_value(std::move(result)); });
  return answer->get_future().get();
}

Conclusion concluded(const QueuedMessage& message, std::string status, QueueChange queue) {
  Conclusion c;
  c.server_id = message.server_id;
  c.message_id = message.message_id;
  c.queue_id = message.queue_id;
  c.queue = queue;
  c.delivery = Delivery{.status = std::move(status), .timestamp = system_now()};
  return c;
}

}  // namespace posthaste::store::testing
