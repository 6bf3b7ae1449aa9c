// A statement of MariaDB's binary protocol: values go out bound, never as text of the statement. Results are read into
// the client at once, so that several can be open; a value longer than its column's buffer is fetched by itself.
#pragma once

#include "sql/mariadb_session.h"

namespace posthaste::sql {

class MariaDbStatement final : public Statement, private Row {
 public:
  MariaDbStatement(MariaDbSession& session, std::string_view sql);
  ~MariaDbStatement() override;
  MariaDbStatement(const MariaDbStatement&) = delete;

  void execute(std::span<const Value> values) override;
  bool step() override;
  const Row& row() const override { return *this; }
  void reset() override;

  bool idle() const { return !open_; }

 private:
  struct Parameter {
    std::int64_t integer = 0;
    double real = 0;
    MYSQL_TIME time{};
    std::string text;  // of a UnixTime
    unsigned long length = 0;
  };
  enum class Form { Integer, Real, Time, Text };
  struct Column {
    Form form = Form::Text;
    std::int64_t integer = 0;
    double real = 0;
    MYSQL_TIME time{};
    std::string buffer;            // bound, of fixed size
    std::string whole;             // what the buffer could not hold
    mutable std::string rendered;  // a number or time asked for as text
    unsigned long length = 0;
    my_bool null = 0, error = 0;
  };

  bool is_null(int column) const override { return columns_.at(column).null; }
  std::int64_t integer(int column) const override;
  double real(int column) const override;
  std::string_view text(int column) const override;
  std::optional<Time> date_time(int column) const override;
  std::optional<Time> unix_time(int column) const override;

  std::size_t bind(Parameter& parameter, MYSQL_BIND& bind, const Value& value);
  void open_result();
  void describe_columns();
  void fetch_long_values();
  [[noreturn]] void fail();

  MariaDbSession& session_;
  std::string sql_;
  MYSQL_STMT* handle_;
  std::vector<Parameter> parameters_;
  std::vector<MYSQL_BIND> parameter_binds_;
  std::vector<Column> columns_;
  std::vector<MYSQL_BIND> column_binds_;
  bool open_ = false;  // a result may have rows left
};

}  // namespace posthaste::sql
