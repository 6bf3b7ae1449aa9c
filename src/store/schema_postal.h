// Postal's own schema on MariaDB: made where it is missing, brought up to version 3.3.6 where it is older; part of
// `schema`.
//
// Every step looks at what is there first, so that it can be repeated after a crash and two processes may run it at
// once.
#pragma once

#include <string_view>

#include "base/result.h"
#include "sql/sql.h"

namespace posthaste::store::schema {

constexpr int kMessageVersion = 20;

// The name in a prefix: "`postal-server-1`." -> "postal-server-1".
std::string database_in(std::string_view prefix);

bool database_exists(sql::Connection& connection, std::string_view database);

// The database exists. environment: of ar_internal_metadata. Fails with Invalid for a Postal that is too old, with
// Conflict for a database of something else.
Result<> complete_main(sql::Connection& connection, std::string_view prefix, std::string_view environment);
// How many of Postal's 18 migrations the database lacks.
std::size_t missing_main_versions(sql::Connection& connection, std::string_view prefix);

void complete_message(sql::Connection& connection, std::string_view prefix);
// The highest number in `migrations`; 0 without that table.
int message_version(sql::Connection& connection, std::string_view prefix);

}  // namespace posthaste::store::schema
