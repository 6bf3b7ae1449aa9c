#include "sql/sqlite_statement.h"

#include <type_traits>

#include "base/strings.h"

namespace posthaste::sql {

namespace {

FailureKind kind_of(int code, std::string_view text) {
  switch (code) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return FailureKind::Duplicate;
    case SQLITE_READONLY_DBMOVED:
      return FailureKind::Unreachable;
    default:
      break;
  }
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return FailureKind::Conflict;
    // A disk that cannot be written is out of space more often than not; either way mail has to wait outside.
    case SQLITE_FULL:
    case SQLITE_IOERR:
      return FailureKind::Full;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
      return FailureKind::Data;
    case SQLITE_TOOBIG:
      return FailureKind::TooLarge;
    case SQLITE_CANTOPEN:
      return FailureKind::Unreachable;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return FailureKind::Denied;
    default:
      break;
  }
  if (text.starts_with("no such table")) return FailureKind::MissingTable;
  if (text.ends_with("already exists") || text.starts_with("duplicate column name")) return FailureKind::Duplicate;
  return FailureKind::Broken;
}

}  // namespace

void throw_sqlite(sqlite3* db, int code, std::string_view doing) {
  const int extended = db ? sqlite3_extended_errcode(db) : code;
  const std::string text = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
  throw Failure(kind_of(extended, text), fmt::format("SQLite: {} ({})", text, doing.substr(0, 200)), extended);
}

SqliteStatement::SqliteStatement(sqlite3* db, std::string_view sql, Result& last_result)
    : db_(db), last_result_(last_result) {
  const char* tail = nullptr;
  const int code = sqlite3_prepare_v3(db, sql.data(), int(sql.size()), SQLITE_PREPARE_PERSISTENT, &handle_, &tail);
  if (code != SQLITE_OK) throw_sqlite(db, code, sql);
  const std::string_view rest(tail, sql.data() + sql.size() - tail);
  if (!handle_ || !is_blank(rest)) {
    sqlite3_finalize(handle_);
    throw Failure(FailureKind::Broken, fmt::format("not exactly one statement: {}", sql.substr(0, 200)));
  }
  writes_ = !sqlite3_stmt_readonly(handle_);
}

SqliteStatement::~SqliteStatement() { sqlite3_finalize(handle_); }

void SqliteStatement::execute(std::span<const Value> values) {
  reset();
  if (sqlite3_bind_parameter_count(handle_) != int(values.size()))
    throw Failure(FailureKind::Broken, fmt::format("{} values given, {} wanted: {}", values.size(),
                                                   sqlite3_bind_parameter_count(handle_), sqlite3_sql(handle_)));
  for (std::size_t i = 0; i < values.size(); ++i) bind(int(i) + 1, values[i]);
  if (advance()) state_ = State::FirstRow;
}

void SqliteStatement::bind(int place, const Value& value) {
  // A statement that writes does all its work in the first step, within execute(): the values are still there. A SELECT
  // reads them at later steps, too, and gets copies.
  const auto keep = writes_ ? SQLITE_STATIC : SQLITE_TRANSIENT;
  const int code = std::visit(
      [&]<class T>(const T& v) {
        if constexpr (std::is_same_v<T, Null>)
          return sqlite3_bind_null(handle_, place);
        else if constexpr (std::is_same_v<T, std::int64_t>)
          return sqlite3_bind_int64(handle_, place, v);
        else if constexpr (std::is_same_v<T, double>)
          return sqlite3_bind_double(handle_, place, v);
        else if constexpr (std::is_same_v<T, Blob>)
          // A null pointer would bind NULL.
          return sqlite3_bind_blob64(handle_, place, v.bytes.empty() ? "" : v.bytes.data(), v.bytes.size(),
                                     SQLITE_STATIC);
        else if constexpr (std::is_same_v<T, DateTime> || std::is_same_v<T, UnixTime>)
          return sqlite3_bind_int64(handle_, place, to_unix_micros(v.time));
        else
          return sqlite3_bind_text64(handle_, place, v.empty() ? "" : v.data(), v.size(), keep, SQLITE_UTF8);
      },
      value);
  if (code != SQLITE_OK) throw_sqlite(db_, code, sqlite3_sql(handle_));
}

bool SqliteStatement::advance() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) {
    state_ = State::Idle;
    try {
      throw_sqlite(db_, code, sqlite3_sql(handle_));
    } catch (...) {
      sqlite3_reset(handle_);  // only after the message was read
      throw;
    }
  }
  state_ = State::Idle;
  sqlite3_reset(handle_);
  note_result();
  return false;
}

bool SqliteStatement::step() {
  if (state_ == State::Idle) return false;
  if (std::exchange(state_, State::Rows) == State::FirstRow) return true;
  return advance();
}

void SqliteStatement::reset() {
  if (state_ == State::Idle) return;
  state_ = State::Idle;
  const int code = sqlite3_reset(handle_);
  if (code != SQLITE_OK) throw_sqlite(db_, code, sqlite3_sql(handle_));
  note_result();
}

void SqliteStatement::note_result() {
  if (writes_) last_result_ = {sqlite3_changes64(db_), sqlite3_last_insert_rowid(db_)};
}

bool SqliteStatement::is_null(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }
std::int64_t SqliteStatement::integer(int column) const { return sqlite3_column_int64(handle_, column); }
double SqliteStatement::real(int column) const { return sqlite3_column_double(handle_, column); }

std::string_view SqliteStatement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(handle_, column));
  return bytes ? std::string_view(bytes, sqlite3_column_bytes(handle_, column)) : std::string_view();
}

std::optional<Time> SqliteStatement::date_time(int column) const {
  if (is_null(column)) return std::nullopt;
  return from_unix_micros(integer(column));
}

std::optional<Time> SqliteStatement::unix_time(int column) const { return date_time(column); }

}  // namespace posthaste::sql
