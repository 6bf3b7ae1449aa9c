// Connections, statements and transactions over SQLite and MariaDB. Queries are written once; the two dialects differ
// in what this file hides: placeholders of table names, times, decimals, errors.
//
// Table names. A statement names tables as {main}`users`, {message}`deliveries`, {queue}`queued_messages`; bind_names()
// puts in the database that holds them: on MariaDB `postal`. and `postal-server-1`., on SQLite nothing (each file is
// one database; the queue is in the mail server's file). Backticks quote on both.
//
// Values. A Value is null, an integer, a double, text or bytes, or one of the two kinds of time:
//   DateTime  the main database's datetime columns: DATETIME(6) or DATETIME on MariaDB (whole-second columns truncate),
//             microseconds since the epoch on SQLite
//   UnixTime  the message databases' decimal(18,6): decimal text on MariaDB, microseconds since the epoch on SQLite
//
// Errors are exceptions (sql::Failure) with a kind that says what to do (data-model.md 22.4). A Connection is used by
// one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/time.h"

namespace posthaste::sql {

enum class Dialect { Sqlite, MariaDb };

enum class FailureKind {
  Unreachable,   // no connection, or it was lost: what ran is undone, but a lost COMMIT is unknown
  Conflict,      // deadlock, lock wait, certification: repeat the whole transaction
  Duplicate,     // a unique index refused the row; the table, column or index exists already
  MissingTable,  // raw tables are made on demand
  Data,          // a value that the column cannot hold: never repeat
  Full,          // no space left
  TooLarge,      // packet or blob above the server's limit
  Denied,        // user, password or privilege
  Broken,        // anything else: a bug, a corrupt file
};

class Failure : public std::runtime_error {
 public:
  Failure(FailureKind kind, const std::string& what, int code = 0)
      : std::runtime_error(what), kind_(kind), code_(code) {}
  FailureKind kind() const { return kind_; }
  int code() const { return code_; }  // the library's own number, for the log

 private:
  FailureKind kind_;
  int code_;
};

// Whether the database is gone or was lost: the store says so once, nobody else need.
inline bool unreachable(const std::exception& error) {
  const auto* failure = dynamic_cast<const Failure*>(&error);
  return failure && failure->kind() == FailureKind::Unreachable;
}

struct Null {};
struct DateTime {
  Time time;
};
struct UnixTime {
  Time time;
};
// Bytes that the caller keeps until the statement has run: no copy is made of message bodies.
struct Blob {
  std::string_view bytes;
};
using Value = std::variant<Null, std::int64_t, double, std::string_view, std::string, Blob, DateTime, UnixTime>;

// Null for nothing, the value otherwise; text that is empty is Null where Postal stores it so (null_if_empty).
template <class T>
Value or_null(const std::optional<T>& value) {
  return value ? Value(*value) : Value(Null{});
}
inline Value date_or_null(const std::optional<Time>& t) { return t ? Value(DateTime{*t}) : Value(Null{}); }
inline Value unix_or_null(const std::optional<Time>& t) { return t ? Value(UnixTime{*t}) : Value(Null{}); }
inline Value null_if_empty(std::string_view text) { return text.empty() ? Value(Null{}) : Value(text); }
inline Value flag(bool on) { return std::int64_t{on ? 1 : 0}; }

// One row of a result; valid until the next step. Columns count from 0. Null reads as 0, empty or nothing.
class Row {
 public:
  virtual ~Row() = default;
  virtual bool is_null(int column) const = 0;
  virtual std::int64_t integer(int column) const = 0;
  virtual double real(int column) const = 0;
  virtual std::string_view text(int column) const = 0;  // bytes too
  virtual std::optional<Time> date_time(int column) const = 0;
  virtual std::optional<Time> unix_time(int column) const = 0;

  bool flag(int column) const { return integer(column) != 0; }
  std::string string(int column) const { return std::string(text(column)); }
  std::optional<std::int64_t> maybe_integer(int column) const {
    return is_null(column) ? std::nullopt : std::optional(integer(column));
  }
  std::optional<std::string> maybe_string(int column) const {
    return is_null(column) ? std::nullopt : std::optional(string(column));
  }
};

// A prepared statement. Statements are cached per connection by their text.
class Statement {
 public:
  virtual ~Statement() = default;
  // Runs it with these values for the `?` in order. For SELECT and RETURNING follow with step() until false.
  virtual void execute(std::span<const Value> values) = 0;
  virtual bool step() = 0;
  virtual const Row& row() const = 0;
  virtual void reset() = 0;  // ends the result early; execute() does it too
};

struct Result {
  std::int64_t affected = 0;   // rows written (matched, on MariaDB too); unspecified after SELECT
  std::int64_t insert_id = 0;  // of the last INSERT without RETURNING
};

class Connection {
 public:
  virtual ~Connection() = default;
  virtual Dialect dialect() const = 0;

  // The statement for this text, prepared at first use. It stays prepared until some hundred others have been used
  // since: ask again for each use, a look-up costs one hash.
  virtual Statement& prepare(std::string_view sql) = 0;

  Result run(std::string_view sql, std::span<const Value> values);
  Result run(std::string_view sql, std::initializer_list<Value> values = {}) {
    return run(sql, std::span<const Value>(values.begin(), values.size()));
  }
  // Calls `each` with every row. It may run other statements, but not the same text again.
  void query(std::string_view sql, std::span<const Value> values, const std::function<void(const Row&)>& each);
  void query(std::string_view sql, std::initializer_list<Value> values, const std::function<void(const Row&)>& each) {
    query(sql, std::span<const Value>(values.begin(), values.size()), each);
  }
  // The first row's first column as integer; nothing if there is no row or it is NULL.
  std::optional<std::int64_t> scalar(std::string_view sql, std::initializer_list<Value> values = {});

  // Several statements without values, separated by `;`. For DDL and settings.
  virtual void script(std::string_view sql) = 0;

  virtual void begin() = 0;  // BEGIN IMMEDIATE on SQLite
  virtual void commit() = 0;
  virtual void rollback() noexcept = 0;
  virtual Result last_result() const = 0;
  virtual bool alive() const = 0;  // false after a lost connection: discard it
};

// Commits on commit(), rolls back when destroyed without.
class Transaction {
 public:
  explicit Transaction(Connection& connection) : connection_(connection) { connection_.begin(); }
  ~Transaction() {
    if (open_) connection_.rollback();
  }
  void commit() {
    open_ = false;
    connection_.commit();
  }

 private:
  Connection& connection_;
  bool open_ = true;
};

struct SqliteOptions {
  std::string path;
  bool read_only = false;
  bool create = false;
  int cache_kib = 8192;
  bool manual_checkpoints = false;  // the owner runs `PRAGMA wal_checkpoint`; otherwise a commit does now and then
};
struct MariaDbOptions {
  std::string host = "localhost";  // may be a list separated by commas, tried in order
  int port = 3306;
  std::string username, password;
  std::string database;  // empty: none selected
  std::string encoding = "utf8mb4";
  Duration connect_timeout = std::chrono::seconds(10);
  Duration io_timeout = std::chrono::seconds(60);  // for each answer; 0: none, for migrations
};
std::unique_ptr<Connection> open_sqlite(const SqliteOptions& options);    // sets the pragmas of data-model.md 20.4
std::unique_ptr<Connection> open_mariadb(const MariaDbOptions& options);  // sets the session of data-model.md section 1

// Which database a table name belongs to; see the head of this file.
struct Names {
  std::string main, message, queue;  // `postal`. or empty
};
std::string bind_names(std::string_view sql, const Names& names);

// `(?,?),(?,?)` for rows of columns.
std::string placeholders(std::size_t rows, std::size_t columns);

}  // namespace posthaste::sql
