#include "store/schema_postal.h"

#include <map>
#include <set>

#include "base/log.h"
#include "base/random.h"
#include "base/strings.h"
#include "store/schema_tables.h"

namespace posthaste::store::schema {

namespace {

using sql::Connection;
using sql::Dialect;
using sql::Row;

// All that schema_migrations holds after 3.3.6 (data-model.md section 8). A later `postal update` wipes a database
// without.
constexpr std::string_view kVersions[] = {
    "20161003195209", "20161003195210", "20161003195211", "20161003195212", "20170418200606", "20170421195414",
    "20170421195415", "20170428153353", "20180216114344", "20200717083943", "20210727210551", "20240206173036",
    "20240213165450", "20240213171830", "20240214132253", "20240223141500", "20240223141501", "20240311205229"};
constexpr std::string_view kInitialSchema = "20170418200606";

// What a database has, by name.
struct Shape {
  struct TableShape {
    std::string collation;
    std::set<std::string> columns, keys;
  };
  std::map<std::string, TableShape> tables;
};

Shape shape_of(Connection& connection, const std::string& database) {
  Shape shape;
  connection.query(
      "SELECT TABLE_NAME, IFNULL(TABLE_COLLATION, '') FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND "
      "TABLE_TYPE = 'BASE TABLE'",
      {database}, [&](const Row& row) { shape.tables[row.string(0)].collation = row.string(1); });
  connection.query("SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ?", {database},
                   [&](const Row& row) { shape.tables[row.string(0)].columns.insert(row.string(1)); });
  connection.query("SELECT DISTINCT TABLE_NAME, INDEX_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = ?",
                   {database}, [&](const Row& row) { shape.tables[row.string(0)].keys.insert(row.string(1)); });
  return shape;
}

// Tables, columns and indexes that are missing. IF NOT EXISTS is for another process that does the same at this moment.
void add_missing(Connection& connection, std::string_view prefix, const Shape& shape, std::span<const Table> tables,
                 std::string_view collation) {
  for (const Table& table : tables) {
    const auto present = shape.tables.find(std::string(table.name));
    if (present == shape.tables.end()) {
      connection.script(create_table(table, Dialect::MariaDb, prefix, collation));
      continue;
    }
    const auto alter = [&](std::string_view what) {
      connection.script(fmt::format("ALTER TABLE {}`{}` {}", prefix, table.name, what));
    };
    for (const Column& column : columns_of(table, Dialect::MariaDb))
      if (!present->second.columns.contains(column.name))
        alter(fmt::format("ADD COLUMN IF NOT EXISTS `{}` {}", column.name, column.type));
    for (const Key& key : keys_of(table)) {
      if (present->second.keys.contains(key.name)) continue;
      const bool unique = key.definition.starts_with("UNIQUE");
      const std::string_view columns = std::string_view(key.definition).substr(key.definition.find('('));
      alter(fmt::format("ADD {}KEY IF NOT EXISTS `{}` {}", unique ? "UNIQUE " : "", key.name, columns));
    }
  }
}

std::set<std::string> recorded_versions(Connection& connection, std::string_view prefix) {
  std::set<std::string> versions;
  try {
    connection.query(fmt::format("SELECT version FROM {}`schema_migrations`", prefix), {},
                     [&](const Row& row) { versions.insert(row.string(0)); });
  } catch (const sql::Failure& failure) {
    if (failure.kind() != sql::FailureKind::MissingTable) throw;
  }
  return versions;
}

// A database without Postal's bookkeeping is taken only when it holds nothing else: a crash during creation leaves our
// own.
Result<> check_ownership(const Shape& shape, const std::set<std::string>& recorded, const std::string& database) {
  if (!recorded.empty()) {
    if (recorded.contains(std::string(kInitialSchema))) return {};
    return fail(ErrorKind::Invalid, fmt::format("the database {} belongs to a Postal older than 1.0 or to another "
                                                "application; update it with Postal first, or name another database",
                                                database));
  }
  std::set<std::string_view> known;
  for (const auto tables : {main_tables(), queue_tables(), main_bookkeeping()})
    for (const Table& table : tables) known.insert(table.name);
  for (const auto& [name, table] : shape.tables)
    if (!known.contains(name) && !name.starts_with("posthaste_"))
      return fail(ErrorKind::Conflict,
                  fmt::format("the database {} holds tables of something else (`{}`); name an empty "
                              "database in main_db.database",
                              database, name));
  return {};
}

// What Postal's migrations did to rows and to columns that are gone.
void convert_main(Connection& connection, std::string_view prefix, const std::set<std::string>& recorded) {
  const auto lacks = [&](const char* version) { return !recorded.contains(version); };
  if (lacks("20170428153353"))
    connection.script(fmt::format("ALTER TABLE {}`ip_pools` DROP COLUMN IF EXISTS `type`", prefix));
  if (lacks("20200717083943")) {
    std::vector<std::int64_t> ids;
    connection.query(fmt::format("SELECT id FROM {}`credentials` WHERE uuid IS NULL", prefix), {},
                     [&](const Row& row) { ids.push_back(row.integer(0)); });
    for (const auto id : ids)
      connection.run(fmt::format("UPDATE {}`credentials` SET uuid = ? WHERE id = ? AND uuid IS NULL", prefix),
                     {random_uuid(), id});
  }
  if (lacks("20210727210551"))
    connection.run(fmt::format("UPDATE {}`ip_addresses` SET priority = 100 WHERE priority IS NULL", prefix));
}

// Number 19. Tables of a database that was utf8 take minutes for each million messages.
void convert_to_utf8mb4(Connection& connection, std::string_view prefix, const std::string& database,
                        const Shape& shape) {
  connection.script(fmt::format("ALTER DATABASE `{}` CHARACTER SET utf8mb4 COLLATE {}", database, kMessageCollation));
  for (const auto& [name, table] : shape.tables) {
    if (table.collation == kMessageCollation || name.starts_with("posthaste_")) continue;
    log::info("migrations", "converting table to utf8mb4", {{"database", database}, {"table", name}});
    connection.script(
        fmt::format("ALTER TABLE {}`{}` CONVERT TO CHARACTER SET utf8mb4 COLLATE {}", prefix, name, kMessageCollation));
  }
}

}  // namespace

std::string database_in(std::string_view prefix) {
  if (prefix.ends_with('.')) prefix.remove_suffix(1);
  if (prefix.size() >= 2 && prefix.starts_with('`')) prefix = prefix.substr(1, prefix.size() - 2);
  return replace_all(prefix, "``", "`");
}

bool database_exists(Connection& connection, std::string_view database) {
  return connection.scalar("SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?", {database}).has_value();
}

std::size_t missing_main_versions(Connection& connection, std::string_view prefix) {
  const auto recorded = recorded_versions(connection, prefix);
  return std::ranges::count_if(kVersions, [&](auto version) { return !recorded.contains(std::string(version)); });
}

Result<> complete_main(Connection& connection, std::string_view prefix, std::string_view environment) {
  const std::string database = database_in(prefix);
  const auto recorded = recorded_versions(connection, prefix);
  if (std::ranges::all_of(kVersions, [&](auto version) { return recorded.contains(std::string(version)); })) return {};

  const Shape shape = shape_of(connection, database);
  if (auto owned = check_ownership(shape, recorded, database); !owned) return owned;
  for (const auto tables : {main_tables(), queue_tables(), main_bookkeeping()})
    add_missing(connection, prefix, shape, tables, kMainCollation);
  convert_main(connection, prefix, recorded);

  // Last, in one transaction: a database with these rows is complete.
  sql::Transaction transaction(connection);
  const sql::DateTime now{system_now()};
  connection.run(
      fmt::format("INSERT IGNORE INTO {}`ar_internal_metadata` (`key`, value, created_at, updated_at) VALUES "
                  "('environment', ?, ?, ?)",
                  prefix),
      {environment, now, now});
  for (const auto version : kVersions)
    connection.run(fmt::format("INSERT IGNORE INTO {}`schema_migrations` (version) VALUES (?)", prefix), {version});
  transaction.commit();
  return {};
}

int message_version(Connection& connection, std::string_view prefix) {
  try {
    return int(connection.scalar(fmt::format("SELECT MAX(version) FROM {}`migrations`", prefix)).value_or(0));
  } catch (const sql::Failure& failure) {
    if (failure.kind() != sql::FailureKind::MissingTable) throw;
    return 0;
  }
}

void complete_message(Connection& connection, std::string_view prefix) {
  const int version = message_version(connection, prefix);
  if (version >= kMessageVersion) return;

  const std::string database = database_in(prefix);
  const Shape before = shape_of(connection, database);
  for (const auto tables : {message_tables(), message_bookkeeping()})
    add_missing(connection, prefix, before, tables, kMessageCollation);
  if (version > 0) {
    if (version < 19) convert_to_utf8mb4(connection, prefix, database, shape_of(connection, database));
    connection.script(fmt::format("ALTER TABLE {}`links` MODIFY `url` text", prefix));  // number 20
  }
  for (std::int64_t number = 1; number <= kMessageVersion; ++number)
    connection.run(fmt::format("INSERT IGNORE INTO {}`migrations` (version) VALUES (?)", prefix), {number});
}

}  // namespace posthaste::store::schema
