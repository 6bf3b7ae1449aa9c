// Runs a database's migrations in order, each once, and records them in `posthaste_migrations`.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "sql/sql.h"

namespace posthaste::sql {

struct Migration {
  int version;
  std::string_view name;
  std::function<void(Connection&)> apply;
};

struct MigrationReport {
  int from = 0, to = 0;
};

// Versions applied to this database; 0 if none. `prefix` names the database as in Names (empty on SQLite).
int migrated_version(Connection& connection, std::string_view prefix);
// Applies what is missing. MariaDB commits DDL as it goes, so each step must survive being repeated.
MigrationReport migrate(Connection& connection, std::string_view prefix, std::span<const Migration> migrations);

}  // namespace posthaste::sql
