#include "store/schema.h"

#include <bit>
#include <filesystem>

#include "base/strings.h"
#include "sql/migration.h"
#include "store/schema_own.h"
#include "store/schema_postal.h"
#include "store/schema_tables.h"

namespace posthaste::store {

namespace {

using sql::Connection;
using sql::Dialect;

std::string prefix_of(std::string_view database) { return fmt::format("`{}`.", replace_all(database, "`", "``")); }

sql::MariaDbOptions options_of(const config::Config::Database& database) {
  sql::MariaDbOptions options;
  options.host = database.host;
  options.port = int(database.port);
  options.username = database.username;
  options.password = database.password;
  if (!database.encoding.empty()) options.encoding = database.encoding;
  return options;
}

constexpr std::string_view kRunInitialize = "run `posthaste initialize`";

Result<> not_current(std::string_view what, std::string_view prefix) {
  const std::string database = prefix.empty() ? "the database" : "the database " + schema::database_in(prefix);
  return fail(ErrorKind::Invalid, fmt::format("{} {}; {}", database, what, kRunInitialize));
}

bool has_rows(Connection& connection, std::string_view prefix, std::string_view table) {
  try {
    return connection.scalar(fmt::format("SELECT 1 FROM {}`{}` LIMIT 1", prefix, table)).has_value();
  } catch (const sql::Failure& failure) {
    if (failure.kind() != sql::FailureKind::MissingTable) throw;
    return false;
  }
}

// Retention may have removed all messages of a database that is in use.
bool has_been_used(Connection& connection, std::string_view prefix) {
  for (const auto table : {"messages", "queued_messages", "suppressions", "links", "stats_daily", "raw_message_sizes"})
    if (has_rows(connection, prefix, table)) return true;
  return false;
}

void create_mariadb_database(Connection& connection, const std::string& database) {
  const std::string quoted = fmt::format("`{}`", replace_all(database, "`", "``"));
  // One that was never used may be left from an attempt that failed; Postal's own provisioning replaces it, too.
  connection.script(fmt::format("DROP DATABASE IF EXISTS {}", quoted));
  connection.script(
      fmt::format("CREATE DATABASE {} CHARACTER SET utf8mb4 COLLATE {}", quoted, schema::kMessageCollation));
}

Error not_permitted(const std::string& database, const sql::Failure& failure) {
  return {ErrorKind::Denied,
          fmt::format("the database account may not create `{0}`; run as an administrator: GRANT ALL PRIVILEGES ON "
                      "`{1}-%`.* TO that account",
                      database, database.substr(0, database.rfind('-'))),
          failure.what()};
}

}  // namespace

std::string main_file(const config::Config& config) {
  return std::filesystem::path(config.posthaste.data_path) / "main.db";
}

std::string server_file(const config::Config& config, Id server_id) {
  return std::filesystem::path(config.posthaste.data_path) / "servers" / fmt::format("{}.db", server_id);
}

std::string message_database(const config::Config& config, Id server_id) {
  return fmt::format("{}-server-{}", config.message_db_prefix, server_id);
}

sql::Names main_names(const config::Config& config) {
  if (config.sqlite()) return {};
  const std::string main = prefix_of(config.main_db.database);
  return {.main = main, .message = "", .queue = main};
}

sql::Names names_of(const config::Config& config, Id server_id) {
  sql::Names names = main_names(config);
  if (!config.sqlite()) names.message = prefix_of(message_database(config, server_id));
  return names;
}

sql::MariaDbOptions main_options(const config::Config& config) { return options_of(config.main_db); }
sql::MariaDbOptions message_options(const config::Config& config) { return options_of(config.message_db); }

Result<> check_main_schema(Connection& connection, const sql::Names& names) {
  if (connection.dialect() == Dialect::MariaDb && schema::missing_main_versions(connection, names.main) > 0)
    return not_current("is empty or belongs to an older Postal", names.main);
  const int version = sql::migrated_version(connection, names.main);
  if (version < schema::kOwnMainVersion) return not_current("lacks migrations", names.main);
  return {};
}

Result<> check_message_schema(Connection& connection, const sql::Names& names) {
  if (connection.dialect() == Dialect::MariaDb &&
      schema::message_version(connection, names.message) < schema::kMessageVersion)
    return not_current("is missing or belongs to an older Postal", names.message);
  const int version = sql::migrated_version(connection, names.message);
  if (version < schema::kOwnMessageVersion) return not_current("lacks migrations", names.message);
  return {};
}

std::string packet_size_advice(Connection& connection, const config::Config& config) {
  if (connection.dialect() == Dialect::Sqlite) return {};
  constexpr std::int64_t kMebibyte = 1 << 20;
  // Bound values need no escaping: what is not the message fits in a mebibyte.
  const std::int64_t needed = (config.smtp_server.max_message_size + 1) * kMebibyte;
  const std::int64_t allowed = connection.scalar("SELECT @@max_allowed_packet").value_or(0);
  if (allowed >= needed) return {};
  return fmt::format(
      "the database server takes packets of {} bytes, too few for messages of {} MB; run SET GLOBAL "
      "max_allowed_packet = {}; and put it into the server's configuration",
      allowed, config.smtp_server.max_message_size, std::bit_ceil(std::uint64_t(needed)));
}

Result<> provision_database(Connection& connection, const sql::Names& names, Id server_id) try {
  if (has_been_used(connection, names.message))
    return fail(ErrorKind::Conflict,
                fmt::format("there is a message database for mail server {} already, and it has been "
                            "used; move it away first",
                            server_id));
  if (connection.dialect() == Dialect::MariaDb) {
    create_mariadb_database(connection, schema::database_in(names.message));
    schema::complete_message(connection, names.message);
  }
  sql::migrate(connection, names.message, schema::message_migrations(connection.dialect(), names));
  return {};
} catch (const sql::Failure& failure) {
  if (failure.kind() != sql::FailureKind::Denied || connection.dialect() == Dialect::Sqlite) throw;
  return std::unexpected(not_permitted(schema::database_in(names.message), failure));
}

Result<> provision_database(const config::Config& config, Id server_id) {
  const sql::Names names = names_of(config, server_id);
  if (!config.sqlite()) return provision_database(*sql::open_mariadb(message_options(config)), names, server_id);
  const std::string file = server_file(config, server_id);
  std::filesystem::create_directories(std::filesystem::path(file).parent_path());
  return provision_database(*sql::open_sqlite({.path = file, .create = true}), names, server_id);
}

void drop_database(const config::Config& config, Id server_id) {
  if (!config.sqlite()) {
    const std::string database = replace_all(message_database(config, server_id), "`", "``");
    return sql::open_mariadb(message_options(config))->script(fmt::format("DROP DATABASE IF EXISTS `{}`", database));
  }
  // The database first: a WAL without it is never replayed into another.
  for (const auto suffix : {"", "-wal", "-shm"}) std::filesystem::remove(server_file(config, server_id) + suffix);
}

void create_raw_table(Connection& connection, const sql::Names& names, std::string_view table) {
  connection.script(schema::create_table(schema::raw_table(table), connection.dialect(), names.message, ""));
  const std::string sizes = fmt::format("{}`raw_message_sizes`", names.message);
  if (connection.dialect() == Dialect::Sqlite) {
    connection.run(fmt::format("INSERT OR IGNORE INTO {} (table_name, size) VALUES (?, 0)", sizes), {table});
    return;
  }
  // Postal's table has no unique index. Of two processes that both find no row one gets a conflict here, and then sees
  // the other's.
  for (int attempt = 0;; ++attempt) try {
      connection.script("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE");
      sql::Transaction transaction(connection);
      if (!connection.scalar(fmt::format("SELECT 1 FROM {} WHERE table_name = ? LIMIT 1", sizes), {table}))
        connection.run(fmt::format("INSERT INTO {} (table_name, size) VALUES (?, 0)", sizes), {table});
      return transaction.commit();
    } catch (const sql::Failure& failure) {
      if (failure.kind() != sql::FailureKind::Conflict || attempt == 10) throw;
    }
}

}  // namespace posthaste::store
