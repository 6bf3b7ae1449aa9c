#include "store/schema_tables.h"

#include "base/strings.h"

namespace posthaste::store::schema {

namespace {

struct Type {
  std::string_view code, mariadb, sqlite;
};

constexpr Type kTypes[] = {
    {"PK", "int(11) NOT NULL AUTO_INCREMENT PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT"},
    {"PK8", "bigint(20) NOT NULL AUTO_INCREMENT PRIMARY KEY", "INTEGER PRIMARY KEY AUTOINCREMENT"},
    // Rows that nothing refers to by id: SQLite need not remember the highest one.
    {"PKr", "int(11) NOT NULL AUTO_INCREMENT PRIMARY KEY", "INTEGER PRIMARY KEY"},
    {"i", "int(11)", "INTEGER"},
    {"i0", "int(11) DEFAULT 0", "INTEGER DEFAULT 0"},
    {"i1", "int(1)", "INTEGER"},
    {"i!", "int(11) NOT NULL", "INTEGER NOT NULL"},
    {"I", "bigint(20)", "INTEGER"},
    {"I0", "bigint(20) DEFAULT 0", "INTEGER DEFAULT 0"},
    {"I!", "bigint(20) NOT NULL DEFAULT 0", "INTEGER NOT NULL DEFAULT 0"},
    {"b", "tinyint(1)", "INTEGER"},
    {"b0", "tinyint(1) DEFAULT 0", "INTEGER DEFAULT 0"},
    {"b1", "tinyint(1) DEFAULT 1", "INTEGER DEFAULT 1"},
    {"y", "tinyint(4)", "INTEGER"},
    {"y0", "tinyint(4) DEFAULT 0", "INTEGER DEFAULT 0"},
    {"n", "decimal(8,2)", "REAL"},
    {"n0", "decimal(8,2) DEFAULT 0.00", "REAL DEFAULT 0.0"},
    {"d", "datetime", "INTEGER"},
    {"D", "datetime NOT NULL", "INTEGER NOT NULL"},
    {"d6", "datetime(6)", "INTEGER"},
    {"D6", "datetime(6) NOT NULL", "INTEGER NOT NULL"},
    {"ts", "decimal(18,6)", "INTEGER"},
    {"s", "varchar(255)", "TEXT"},
    {"s!", "varchar(255) NOT NULL", "TEXT NOT NULL"},
    {"s10", "varchar(10)", "TEXT"},
    {"s20!", "varchar(20) NOT NULL", "TEXT NOT NULL"},
    {"s64!", "varchar(64) NOT NULL", "TEXT NOT NULL"},
    {"s100", "varchar(100)", "TEXT"},
    {"s512", "varchar(512)", "TEXT"},
    {"uuid!", "char(36) NOT NULL", "TEXT NOT NULL"},
    {"size", "varchar(255)", "INTEGER"},
    {"t", "text", "TEXT"},
    {"blob", "longblob", "BLOB"},
};

std::string type_of(std::string_view code, sql::Dialect dialect) {
  const bool any_case = code.ends_with('~');
  if (any_case) code.remove_suffix(1);
  const auto type = std::ranges::find(kTypes, code, &Type::code);
  if (type == std::end(kTypes)) throw std::logic_error(fmt::format("no column type {}", code));
  if (dialect == sql::Dialect::MariaDb) return std::string(type->mariadb);
  return fmt::format("{}{}", type->sqlite, any_case ? " COLLATE NOCASE" : "");
}

// `token(8), id` -> "`token`(8), `id`"; SQLite knows no prefixes.
std::string quoted_columns(std::string_view list, bool with_prefixes) {
  std::vector<std::string> quoted;
  for (const auto part : split(list, ',')) {
    const std::string_view column = trim(part);
    const auto prefix = column.find('(');
    const std::string_view length = prefix == column.npos ? std::string_view() : column.substr(prefix);
    quoted.push_back(fmt::format("`{}`{}", column.substr(0, prefix), with_prefixes ? length : ""));
  }
  return join(quoted, ", ");
}

struct KeyWords {
  bool unique = false, primary = false;
  std::string_view name, columns;
};

// `unique name (column, column(8))`
KeyWords parse_key(std::string_view text) {
  KeyWords key;
  const auto open = text.find('('), close = text.rfind(')');
  key.columns = text.substr(open + 1, close - open - 1);
  std::string_view head = trim(text.substr(0, open));
  if (head.starts_with("unique ")) {
    key.unique = true;
    head.remove_prefix(7);
  }
  key.primary = head == "primary";
  key.name = head;
  return key;
}

template <class Each>
void for_each_key(const Table& table, Each each) {
  for (const auto part : split(table.keys, ';'))
    if (!is_blank(part)) each(parse_key(part));
}

std::string primary_key(const Table& table, sql::Dialect dialect) {
  std::string primary;
  for_each_key(table, [&](const KeyWords& key) {
    if (key.primary)
      primary = fmt::format("PRIMARY KEY ({})", quoted_columns(key.columns, dialect == sql::Dialect::MariaDb));
  });
  return primary;
}

}  // namespace

std::vector<Column> columns_of(const Table& table, sql::Dialect dialect) {
  std::vector<Column> columns;
  for (const auto part : split(table.columns, ',')) {
    const std::string_view words = trim(part);
    const auto space = words.find(' ');
    columns.push_back({std::string(words.substr(0, space)), type_of(words.substr(space + 1), dialect)});
  }
  return columns;
}

std::vector<Key> keys_of(const Table& table) {
  std::vector<Key> keys;
  for_each_key(table, [&](const KeyWords& key) {
    if (key.primary) return;
    keys.push_back({std::string(key.name), fmt::format("{}KEY `{}` ({})", key.unique ? "UNIQUE " : "", key.name,
                                                       quoted_columns(key.columns, true))});
  });
  return keys;
}

std::string create_table(const Table& table, sql::Dialect dialect, std::string_view prefix,
                         std::string_view collation) {
  std::vector<std::string> lines;
  for (const Column& column : columns_of(table, dialect))
    lines.push_back(fmt::format("`{}` {}", column.name, column.type));
  if (auto primary = primary_key(table, dialect); !primary.empty()) lines.push_back(std::move(primary));
  if (dialect == sql::Dialect::MariaDb)
    for (const Key& key : keys_of(table)) lines.push_back(key.definition);

  std::string options = "STRICT";
  if (dialect == sql::Dialect::MariaDb) {
    options = "ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4";
    if (!collation.empty()) options += fmt::format(" COLLATE={}", collation);
  }
  return fmt::format("CREATE TABLE IF NOT EXISTS {}`{}` ({}) {}", prefix, table.name, join(lines, ", "), options);
}

}  // namespace posthaste::store::schema
