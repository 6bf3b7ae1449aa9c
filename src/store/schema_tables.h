// The tables as a description that both dialects are rendered from; part of `schema`.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/sql.h"

namespace posthaste::store::schema {

// columns: `name code, ...` with the codes of data-model.md's shorthand (schema_tables.cpp has them all); `~` behind a
// code:
//          compared regardless of ASCII case on SQLite, as MariaDB's collations do everywhere.
// keys:    `name (column, column(8)); unique name (column)`; `primary (column)` if no column is PK.
//          Those of MariaDB; SQLite has indexes of its own.
struct Table {
  std::string_view name, columns, keys = {};
};

struct Column {
  std::string name, type;
};
struct Key {
  std::string name, definition;  // definition: `UNIQUE KEY `name` (`column`(8))`
};

std::vector<Column> columns_of(const Table& table, sql::Dialect dialect);
std::vector<Key> keys_of(const Table& table);

// CREATE TABLE IF NOT EXISTS; prefix as in sql::Names. collation: of MariaDB; empty: the server's default of utf8mb4.
std::string create_table(const Table& table, sql::Dialect dialect, std::string_view prefix, std::string_view collation);

// Postal's, in both dialects.
std::span<const Table> main_tables();
std::span<const Table> message_tables();
// In the main database on MariaDB, in the mail server's file on SQLite.
std::span<const Table> queue_tables();
std::span<const Table> sqlite_queue_tables();
// MariaDB only: the bookkeeping of Postal's own migrations.
std::span<const Table> main_bookkeeping();
std::span<const Table> message_bookkeeping();
// Posthaste's, in both dialects.
std::span<const Table> own_main_tables();
std::span<const Table> own_message_tables();
Table raw_table(std::string_view name);

std::string_view sqlite_main_indexes();
std::string_view sqlite_server_indexes();
std::string_view sqlite_own_server_indexes();

constexpr std::string_view kMainCollation = "utf8mb4_general_ci", kMessageCollation = "utf8mb4_unicode_ci";

}  // namespace posthaste::store::schema
