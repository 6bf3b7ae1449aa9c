#include "sql/mariadb_statement.h"

#include <mysqld_error.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <type_traits>

#include "sql/mariadb_values.h"

namespace posthaste::sql {

namespace {

// Most values fit; the rest cost one copy more.
constexpr std::size_t kColumnBuffer = 1024;
// Below this no server refuses a packet.
constexpr std::size_t kPacketOverhead = 64 * 1024;
// A statement does not keep what one long value needed.
constexpr std::size_t kKeptCapacity = 64 * 1024;

template <class Number>
Number number_in(std::string_view text) {
  Number value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

MariaDbStatement::MariaDbStatement(MariaDbSession& session, std::string_view sql)
    : session_(session), sql_(sql), handle_(mysql_stmt_init(session.handle)) {
  if (!handle_) throw_mariadb(session_, mysql_errno(session_.handle), mysql_error(session_.handle), sql_);
  if (mysql_stmt_prepare(handle_, sql_.data(), sql_.size()) != 0) {
    const unsigned code = mysql_stmt_errno(handle_);
    const std::string text = mysql_stmt_error(handle_);
    mysql_stmt_close(handle_);
    throw_mariadb(session_, code, text.c_str(), sql_);
  }
  parameters_.resize(mysql_stmt_param_count(handle_));
  parameter_binds_.resize(parameters_.size());
}

MariaDbStatement::~MariaDbStatement() { mysql_stmt_close(handle_); }

void MariaDbStatement::fail() { throw_mariadb(session_, mysql_stmt_errno(handle_), mysql_stmt_error(handle_), sql_); }

void MariaDbStatement::execute(std::span<const Value> values) {
  reset();
  if (parameters_.size() != values.size())
    throw Failure(FailureKind::Broken,
                  fmt::format("{} values given, {} wanted: {}", values.size(), parameters_.size(), sql_));
  std::size_t bytes = kPacketOverhead;
  for (std::size_t i = 0; i < values.size(); ++i) bytes += bind(parameters_[i], parameter_binds_[i], values[i]);
  // The server would hang up in the middle of it, and the cause would look like a lost connection.
  if (bytes > session_.max_packet && bytes > 2 * kPacketOverhead)
    throw Failure(FailureKind::TooLarge,
                  fmt::format("{} bytes in one statement, but the server's max_allowed_packet is {}; run SET GLOBAL "
                              "max_allowed_packet = {} and set it in the server's configuration",
                              bytes, session_.max_packet, std::bit_ceil(bytes)),
                  ER_NET_PACKET_TOO_LARGE);

  if (!values.empty() && mysql_stmt_bind_param(handle_, parameter_binds_.data()) != 0) fail();
  if (mysql_stmt_execute(handle_) != 0) fail();
  if (mysql_stmt_field_count(handle_) > 0) return open_result();
  session_.last_result = {std::int64_t(mysql_stmt_affected_rows(handle_)), std::int64_t(mysql_stmt_insert_id(handle_))};
}

std::size_t MariaDbStatement::bind(Parameter& parameter, MYSQL_BIND& bind, const Value& value) {
  bind = {};
  const auto bytes = [&](enum_field_types type, std::string_view text) {
    bind.buffer_type = type;
    bind.buffer = const_cast<char*>(text.empty() ? "" : text.data());  // no buffer would be NULL
    bind.buffer_length = parameter.length = text.size();
    bind.length = &parameter.length;
    return text.size();
  };
  return std::visit(
      [&]<class T>(const T& v) -> std::size_t {
        if constexpr (std::is_same_v<T, Null>) {
          bind.buffer_type = MYSQL_TYPE_NULL;
          return 0;
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
          parameter.integer = v;
          bind.buffer_type = MYSQL_TYPE_LONGLONG;
          bind.buffer = &parameter.integer;
          return sizeof v;
        } else if constexpr (std::is_same_v<T, double>) {
          parameter.real = v;
          bind.buffer_type = MYSQL_TYPE_DOUBLE;
          bind.buffer = &parameter.real;
          return sizeof v;
        } else if constexpr (std::is_same_v<T, DateTime>) {
          parameter.time = to_mysql_time(v.time);
          bind.buffer_type = MYSQL_TYPE_DATETIME;
          bind.buffer = &parameter.time;
          return sizeof(std::int64_t);
        } else if constexpr (std::is_same_v<T, UnixTime>) {
          // A decimal, not a string: strings are compared with decimal columns as doubles.
          parameter.text = to_unix_decimal(v.time);
          return bytes(MYSQL_TYPE_NEWDECIMAL, parameter.text);
        } else if constexpr (std::is_same_v<T, Blob>) {
          return bytes(MYSQL_TYPE_LONG_BLOB, v.bytes);
        } else {
          return bytes(MYSQL_TYPE_STRING, v);
        }
      },
      value);
}

void MariaDbStatement::open_result() {
  if (columns_.size() != mysql_stmt_field_count(handle_)) describe_columns();
  if (mysql_stmt_bind_result(handle_, column_binds_.data()) != 0) fail();
  if (mysql_stmt_store_result(handle_) != 0) fail();
  open_ = true;
  session_.last_result = {std::int64_t(mysql_stmt_num_rows(handle_)), std::int64_t(mysql_stmt_insert_id(handle_))};
}

void MariaDbStatement::describe_columns() {
  const std::unique_ptr<MYSQL_RES, void (*)(MYSQL_RES*)> fields(mysql_stmt_result_metadata(handle_), mysql_free_result);
  if (!fields) fail();
  const unsigned count = mysql_num_fields(fields.get());
  columns_ = std::vector<Column>(count);
  column_binds_ = std::vector<MYSQL_BIND>(count, MYSQL_BIND{});
  for (unsigned i = 0; i < count; ++i) {
    const MYSQL_FIELD& field = *mysql_fetch_field_direct(fields.get(), i);
    Column& column = columns_[i];
    MYSQL_BIND& bind = column_binds_[i];
    bind.is_null = &column.null;
    bind.length = &column.length;
    bind.error = &column.error;
    switch (field.type) {
      case MYSQL_TYPE_TINY:
      case MYSQL_TYPE_SHORT:
      case MYSQL_TYPE_INT24:
      case MYSQL_TYPE_LONG:
      case MYSQL_TYPE_LONGLONG:
      case MYSQL_TYPE_YEAR:
        column.form = Form::Integer;
        bind.buffer_type = MYSQL_TYPE_LONGLONG;
        bind.buffer = &column.integer;
        bind.is_unsigned = (field.flags & UNSIGNED_FLAG) != 0;
        break;
      case MYSQL_TYPE_FLOAT:
      case MYSQL_TYPE_DOUBLE:
        column.form = Form::Real;
        bind.buffer_type = MYSQL_TYPE_DOUBLE;
        bind.buffer = &column.real;
        break;
      case MYSQL_TYPE_DATE:
      case MYSQL_TYPE_DATETIME:
      case MYSQL_TYPE_TIMESTAMP:
        column.form = Form::Time;
        bind.buffer_type = MYSQL_TYPE_DATETIME;
        bind.buffer = &column.time;
        bind.buffer_length = sizeof column.time;
        break;
      default:
        column.buffer.resize(std::clamp<std::size_t>(field.length, 1, kColumnBuffer));
        bind.buffer_type = MYSQL_TYPE_BLOB;
        bind.buffer = column.buffer.data();
        bind.buffer_length = column.buffer.size();
        break;
    }
  }
}

bool MariaDbStatement::step() {
  if (!open_) return false;
  const int code = mysql_stmt_fetch(handle_);
  if (code == 0 || code == MYSQL_DATA_TRUNCATED) {
    fetch_long_values();
    return true;
  }
  if (code == MYSQL_NO_DATA) {
    reset();
    return false;
  }
  fail();
}

void MariaDbStatement::fetch_long_values() {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Column& column = columns_[i];
    if (column.form != Form::Text || column.null || column.length <= column.buffer.size()) continue;
    // Not resize_and_overwrite: GCC 12's gives its callback the new capacity, which may be larger than what was asked
    // for.
    column.whole.resize(column.length);
    unsigned long length = 0;
    my_bool null = 0, error = 0;
    MYSQL_BIND bind{};
    bind.buffer_type = MYSQL_TYPE_BLOB;
    bind.buffer = column.whole.data();
    bind.buffer_length = column.whole.size();
    bind.length = &length;
    bind.is_null = &null;
    bind.error = &error;
    if (mysql_stmt_fetch_column(handle_, &bind, unsigned(i), 0) != 0) fail();
    // Rather no value than one that was not filled in: the connection is given up, and the read repeated on another.
    if (null || length != column.whole.size())
      throw Failure(FailureKind::Unreachable,
                    fmt::format("MariaDB gave {} of the {} bytes of a value", null ? 0 : length, column.length));
  }
}

void MariaDbStatement::reset() {
  if (!open_) return;
  open_ = false;
  mysql_stmt_free_result(handle_);
  for (Column& column : columns_)
    if (column.whole.capacity() > kKeptCapacity) std::string().swap(column.whole);
}

std::int64_t MariaDbStatement::integer(int column) const {
  const Column& c = columns_.at(column);
  if (c.null) return 0;
  if (c.form == Form::Integer) return c.integer;
  if (c.form == Form::Real) return std::int64_t(c.real);
  return number_in<std::int64_t>(text(column));
}

double MariaDbStatement::real(int column) const {
  const Column& c = columns_.at(column);
  if (c.null) return 0;
  if (c.form == Form::Integer) return double(c.integer);
  if (c.form == Form::Real) return c.real;
  return number_in<double>(text(column));
}

std::string_view MariaDbStatement::text(int column) const {
  const Column& c = columns_.at(column);
  if (c.null) return {};
  switch (c.form) {
    case Form::Text:
      return c.length <= c.buffer.size() ? std::string_view(c.buffer).substr(0, c.length) : c.whole;
    case Form::Integer:
      c.rendered = std::to_string(c.integer);
      break;
    case Form::Real:
      c.rendered = fmt::format("{}", c.real);
      break;
    case Form::Time: {
      const auto time = from_mysql_time(c.time);
      c.rendered = time ? to_datetime(*time) : "";
    }
  }
  return c.rendered;
}

std::optional<Time> MariaDbStatement::date_time(int column) const {
  const Column& c = columns_.at(column);
  if (c.null) return std::nullopt;
  return c.form == Form::Time ? from_mysql_time(c.time) : from_datetime(text(column));
}

std::optional<Time> MariaDbStatement::unix_time(int column) const {
  const Column& c = columns_.at(column);
  if (c.null) return std::nullopt;
  if (c.form == Form::Real) return from_unix_micros(std::llround(c.real * 1e6));
  return from_unix_decimal(text(column));
}

}  // namespace posthaste::sql
