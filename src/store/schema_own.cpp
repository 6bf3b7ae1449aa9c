#include "store/schema_own.h"

#include "base/log.h"
#include "store/schema_tables.h"

namespace posthaste::store::schema {

namespace {

using sql::Connection;
using sql::Dialect;

void create_tables(Connection& connection, std::string_view prefix, std::span<const Table> tables,
                   std::string_view collation) {
  for (const Table& table : tables) connection.script(create_table(table, connection.dialect(), prefix, collation));
}

struct Index {
  std::string_view table, name, columns;
};

// data-model.md 19.3.
constexpr Index kMainIndexes[] = {
    {"queued_messages", "posthaste_claim", "locked_at, retry_after"},
    {"queued_messages", "posthaste_batch", "batch_key(64), locked_at"},
    {"webhook_requests", "posthaste_claim", "locked_at, retry_after"},
    {"credentials", "posthaste_key", "`key`(64)"},
    {"credentials", "posthaste_server", "server_id"},
    {"domains", "posthaste_name", "name(64)"},
    {"domains", "posthaste_owner", "owner_type(16), owner_id"},
    {"routes", "posthaste_lookup", "domain_id, name(64)"},
    {"routes", "posthaste_server", "server_id"},
    {"track_domains", "posthaste_server", "server_id"},
    {"http_endpoints", "posthaste_server", "server_id"},
    {"smtp_endpoints", "posthaste_server", "server_id"},
    {"address_endpoints", "posthaste_server", "server_id"},
    {"ip_pool_rules", "posthaste_owner", "owner_type(16), owner_id"},
};
constexpr Index kMainUnique[] = {
    {"users", "posthaste_email_address", "email_address"},
    {"servers", "posthaste_token", "token"},
    {"routes", "posthaste_token", "token"},
    {"credentials", "posthaste_uuid", "uuid"},
};
constexpr Index kMessageIndexes[] = {{"suppressions", "posthaste_address", "address(191)"}};

// While mail flows: neither readers nor writers of the table wait.
void add_index(Connection& connection, std::string_view prefix, const Index& index, std::string_view kind) {
  connection.script(fmt::format("ALTER TABLE {}`{}` ADD {} IF NOT EXISTS `{}` ({}), ALGORITHM=INPLACE, LOCK=NONE",
                                prefix, index.table, kind, index.name, index.columns));
}

void add_unique_index(Connection& connection, std::string_view prefix, const Index& index) {
  const auto duplicate = connection.scalar(
      fmt::format("SELECT COUNT(*) FROM {0}`{1}` WHERE `{2}` IS NOT NULL GROUP BY `{2}` HAVING COUNT(*) > 1 LIMIT 1",
                  prefix, index.table, index.columns));
  if (!duplicate) return add_index(connection, prefix, index, "UNIQUE KEY");
  log::warn("migrations", "values occur more than once, so they are not kept unique by the database",
            {{"table", index.table}, {"column", index.columns}});
}

void mariadb_main(Connection& connection, std::string_view prefix) {
  create_tables(connection, prefix, own_main_tables(), kMainCollation);
  for (const Index& index : kMainIndexes) add_index(connection, prefix, index, "KEY");
  for (const Index& index : kMainUnique) add_unique_index(connection, prefix, index);
}

void sqlite_main(Connection& connection) {
  create_tables(connection, "", main_tables(), "");
  create_tables(connection, "", own_main_tables(), "");
  connection.script(sqlite_main_indexes());
}

void sqlite_server(Connection& connection) {
  create_tables(connection, "", message_tables(), "");
  create_tables(connection, "", sqlite_queue_tables(), "");
  connection.script(sqlite_server_indexes());
}

// http-api.md section 33.
void mariadb_hit_classes(Connection& connection, std::string_view prefix) {
  for (const std::string_view table : {"clicks", "loads"})
    connection.script(fmt::format(
        "ALTER TABLE {}`{}` ADD COLUMN IF NOT EXISTS `posthaste_bot` TINYINT NULL, ALGORITHM=INSTANT", prefix, table));
}

// Gateways that scan mail lower the case of links; the index that answers them answers exact tokens as well.
void sqlite_hit_classes(Connection& connection) {
  connection.script(
      "ALTER TABLE clicks ADD COLUMN posthaste_bot INTEGER; ALTER TABLE loads ADD COLUMN posthaste_bot INTEGER;"
      "DROP INDEX IF EXISTS links_token; CREATE INDEX links_token ON links (token COLLATE NOCASE)");
}

void bounce_reports(Connection& connection, std::string_view prefix) {
  create_tables(connection, prefix, own_message_tables(), kMessageCollation);
  if (connection.dialect() == Dialect::Sqlite) connection.script(sqlite_own_server_indexes());
}

}  // namespace

std::vector<sql::Migration> main_migrations(Dialect dialect, const sql::Names& names) {
  if (dialect == Dialect::Sqlite) return {{1, "tables", sqlite_main}};
  return {{1, "tables and indexes beside Postal's",
           [prefix = names.main](Connection& connection) { mariadb_main(connection, prefix); }}};
}

std::vector<sql::Migration> message_migrations(Dialect dialect, const sql::Names& names) {
  const auto reports = [prefix = names.message](Connection& connection) { bounce_reports(connection, prefix); };
  if (dialect == Dialect::Sqlite)
    return {{1, "tables", sqlite_server},
            {2, "which clicks and opens are machines'", sqlite_hit_classes},
            {3, "bounce reports", reports}};
  const auto indexes = [prefix = names.message](Connection& connection) {
    for (const Index& index : kMessageIndexes) add_index(connection, prefix, index, "KEY");
  };
  const auto hit_classes = [prefix = names.message](Connection& connection) {
    mariadb_hit_classes(connection, prefix);
  };
  return {{1, "indexes beside Postal's", indexes},
          {2, "which clicks and opens are machines'", hit_classes},
          {3, "bounce reports", reports}};
}

}  // namespace posthaste::store::schema
