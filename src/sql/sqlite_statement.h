// A prepared statement of SQLite; part of the driver, not of the room's contract.
#pragma once

#include <sqlite3.h>

#include "sql/sql.h"

namespace posthaste::sql {

// Throws the failure that the database reports for this result code.
[[noreturn]] void throw_sqlite(sqlite3* db, int code, std::string_view doing);

class SqliteStatement final : public Statement, private Row {
 public:
  SqliteStatement(sqlite3* db, std::string_view sql, Result& last_result);
  ~SqliteStatement() override;
  SqliteStatement(const SqliteStatement&) = delete;

  void execute(std::span<const Value> values) override;
  bool step() override;
  const Row& row() const override { return *this; }
  void reset() override;

  bool idle() const { return state_ == State::Idle; }

 private:
  bool is_null(int column) const override;
  std::int64_t integer(int column) const override;
  double real(int column) const override;
  std::string_view text(int column) const override;
  std::optional<Time> date_time(int column) const override;
  std::optional<Time> unix_time(int column) const override;

  void bind(int place, const Value& value);
  bool advance();  // false at the end
  void note_result();

  enum class State { Idle, FirstRow, Rows };

  sqlite3* db_;
  sqlite3_stmt* handle_ = nullptr;
  Result& last_result_;
  bool writes_ = false;
  State state_ = State::Idle;
};

}  // namespace posthaste::sql
