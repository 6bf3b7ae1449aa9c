// Posthaste's own migrations, recorded in posthaste_migrations of each database; part of `schema`.
#pragma once

#include <vector>

#include "sql/migration.h"
#include "sql/sql.h"

namespace posthaste::store::schema {

// On SQLite the first makes all tables; on MariaDB Postal's are there already.
std::vector<sql::Migration> main_migrations(sql::Dialect dialect, const sql::Names& names);
std::vector<sql::Migration> message_migrations(sql::Dialect dialect, const sql::Names& names);

constexpr int kOwnMainVersion = 1, kOwnMessageVersion = 3;  // the last of each

}  // namespace posthaste::store::schema
