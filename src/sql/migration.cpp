#include "sql/migration.h"

#include "base/log.h"

namespace posthaste::sql {

namespace {

std::string table(std::string_view prefix) { return fmt::format("{}`posthaste_migrations`", prefix); }

void create_table(Connection& connection, std::string_view prefix) {
  if (connection.dialect() == Dialect::Sqlite)
    connection.run(
        "CREATE TABLE IF NOT EXISTS `posthaste_migrations` (`version` INTEGER PRIMARY KEY, `applied_at` INTEGER) "
        "STRICT");
  else
    connection.run(
        fmt::format("CREATE TABLE IF NOT EXISTS {} (`version` int PRIMARY KEY, `applied_at` datetime(6)) ENGINE=InnoDB "
                    "DEFAULT CHARSET=utf8mb4",
                    table(prefix)));
}

void record(Connection& connection, std::string_view prefix, int version) {
  try {
    connection.run(fmt::format("INSERT INTO {} (`version`, `applied_at`) VALUES (?, ?)", table(prefix)),
                   {std::int64_t(version), DateTime{system_now()}});
  } catch (const Failure& failure) {
    // Another process ran the same step; each survives being repeated.
    if (failure.kind() != FailureKind::Duplicate) throw;
  }
}

void apply(Connection& connection, std::string_view prefix, const Migration& migration) {
  if (connection.dialect() == Dialect::MariaDb) {
    migration.apply(connection);
    return record(connection, prefix, migration.version);
  }
  // SQLite's DDL is part of the transaction: the step is applied and recorded, or neither.
  Transaction transaction(connection);
  if (migrated_version(connection, prefix) < migration.version) {
    migration.apply(connection);
    record(connection, prefix, migration.version);
  }
  transaction.commit();
}

}  // namespace

int migrated_version(Connection& connection, std::string_view prefix) {
  try {
    return int(connection.scalar(fmt::format("SELECT MAX(`version`) FROM {}", table(prefix))).value_or(0));
  } catch (const Failure& failure) {
    if (failure.kind() == FailureKind::MissingTable) return 0;
    throw;
  }
}

MigrationReport migrate(Connection& connection, std::string_view prefix, std::span<const Migration> migrations) {
  const int from = migrated_version(connection, prefix);
  int to = from;
  for (const Migration& migration : migrations) {
    if (migration.version <= from) continue;
    if (from == to) create_table(connection, prefix);
    log::info("migrations", "applying migration",
              {{"database", prefix}, {"version", migration.version}, {"name", migration.name}});
    apply(connection, prefix, migration);
    to = migration.version;
  }
  return {from, to};
}

}  // namespace posthaste::sql
