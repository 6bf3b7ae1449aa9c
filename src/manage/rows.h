// Rows of the main database as structs of Fields: one list of columns per model serves reading, writing and comparing.
//
//   struct WebhookFields {
//     Field<std::string> name, url; ...
//     static constexpr std::string_view kTable = "webhooks";
//     static constexpr auto columns() { return std::tuple(Column{"name", &WebhookFields::name}, ...); }
//   };
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/random.h"
#include "manage/field.h"
#include "manage/problems.h"
#include "manage/work.h"

namespace posthaste::manage {

template <class Fields, class T>
struct Column {
  std::string_view name;
  Field<T> Fields::* member;
};
template <class Fields, class T>
Column(const char*, Field<T> Fields::*) -> Column<Fields, T>;

// A stored row: its fields as they are, every one given.
template <class Fields>
struct Row {
  Id id = 0;
  std::string uuid;
  Fields fields;
};

namespace detail {

// Postal stores blank text as NULL.
inline sql::Value bind(const Field<std::string>& f) { return is_blank(f) ? sql::Value(sql::Null{}) : sql::Value(*f); }
inline sql::Value bind(const Field<bool>& f) { return f.has_value() ? sql::flag(*f) : sql::Value(sql::Null{}); }
inline sql::Value bind(const Field<std::int64_t>& f) { return sql::or_null(f.maybe()); }
inline sql::Value bind(const Field<double>& f) { return sql::or_null(f.maybe()); }
inline sql::Value bind(const Field<Time>& f) { return sql::date_or_null(f.maybe()); }

inline void take(const sql::Row& row, int i, Field<std::string>& f) { f = row.maybe_string(i); }
inline void take(const sql::Row& row, int i, Field<std::int64_t>& f) { f = row.maybe_integer(i); }
inline void take(const sql::Row& row, int i, Field<Time>& f) { f = row.date_time(i); }
inline void take(const sql::Row& row, int i, Field<bool>& f) {
  f = row.is_null(i) ? std::nullopt : std::optional(row.flag(i));
}
inline void take(const sql::Row& row, int i, Field<double>& f) {
  f = row.is_null(i) ? std::nullopt : std::optional(row.real(i));
}

inline bool same(const Field<std::string>& a, const Field<std::string>& b) {
  return (is_blank(a) && is_blank(b)) || a.same(b);
}
// use_for_any is NULL for domains that Postal made.
inline bool same(const Field<bool>& a, const Field<bool>& b) { return a.value_or(false) == b.value_or(false); }
inline bool same(const auto& a, const auto& b) { return a.same(b); }

template <class Fields, class Each>
void each_column(Each&& each) {
  std::apply([&](const auto&... column) { (each(column), ...); }, Fields::columns());
}

template <class Fields>
constexpr bool has_uuid() {
  if constexpr (requires { Fields::kNoUuid; }) return false;
  return true;
}

}  // namespace detail

// Rows that match, by id: `select<DomainFields>(work, "owner_id = ?", {id})`.
template <class Fields>
std::vector<Row<Fields>> select(Work& work, std::string_view where, std::initializer_list<sql::Value> values) {
  std::string sql = detail::has_uuid<Fields>() ? "SELECT `id`, `uuid`" : "SELECT `id`, NULL";
  detail::each_column<Fields>([&](const auto& column) { sql += fmt::format(", `{}`", column.name); });
  sql += fmt::format(" FROM {{main}}`{}` WHERE {} ORDER BY `id`", Fields::kTable, where);
  std::vector<Row<Fields>> rows;
  work.query(sql, values, [&](const sql::Row& found) {
    auto& row = rows.emplace_back();
    row.id = found.integer(0);
    row.uuid = found.string(1);
    int i = 2;
    detail::each_column<Fields>([&](const auto& column) { detail::take(found, i++, row.fields.*column.member); });
  });
  return rows;
}

template <class Fields>
std::optional<Row<Fields>> select_one(Work& work, std::string_view where, std::initializer_list<sql::Value> values) {
  auto rows = select<Fields>(work, where, values);
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

template <class Fields>
Result<Row<Fields>> find_by_id(Work& work, Id id, std::string_view what) {
  auto row = select_one<Fields>(work, "`id` = ?", {id});
  if (!row) return fail(ErrorKind::NotFound, fmt::format("there is no {} with the id {}", what, id));
  return std::move(*row);
}

// Columns that were not given take the column's default. `uuid`: empty for a new one.
template <class Fields>
Row<Fields> insert(Work& work, Fields fields, std::string uuid = {}) {
  std::string names = "`created_at`, `updated_at`";
  std::vector<sql::Value> values{sql::DateTime{work.now()}, sql::DateTime{work.now()}};
  if (detail::has_uuid<Fields>()) {
    if (uuid.empty()) uuid = random_uuid();
    names += ", `uuid`";
    values.emplace_back(uuid);
  }
  detail::each_column<Fields>([&](const auto& column) {
    const auto& field = fields.*column.member;
    if (!field.given()) return;
    names += fmt::format(", `{}`", column.name);
    values.push_back(detail::bind(field));
  });
  auto sql = fmt::format("INSERT INTO {{main}}`{}` ({}) VALUES {}", Fields::kTable, names,
                         sql::placeholders(1, values.size()));
  Id id = work.run(sql, values).insert_id;
  return {id, std::move(uuid), std::move(fields)};
}

template <class Fields>
void overlay(Fields& onto, const Fields& given) {
  detail::each_column<Fields>([&](const auto& column) { (onto.*column.member).overlay(given.*column.member); });
}

// Names of the columns in which the two differ.
template <class Fields>
std::vector<std::string> differences(const Fields& before, const Fields& after) {
  std::vector<std::string> names;
  detail::each_column<Fields>([&](const auto& column) {
    if (!detail::same(before.*column.member, after.*column.member)) names.emplace_back(column.name);
  });
  return names;
}

// What an update makes wrong: `validate(fields, problems)` is asked about the row before, too, and what was wrong then
// and was not touched is forgiven.
template <class Fields, class Validate>
Problems problems_of_update(const Fields& before, const Fields& after, Validate&& validate) {
  Problems problems, earlier;
  validate(after, problems);
  if (problems.none()) return problems;
  validate(before, earlier);
  problems.forgive(earlier, differences(before, after));
  return problems;
}

// Writes what differs; false if nothing does.
template <class Fields>
bool update(Work& work, Id id, const Fields& before, const Fields& after) {
  std::string sets;
  std::vector<sql::Value> values;
  detail::each_column<Fields>([&](const auto& column) {
    if (detail::same(before.*column.member, after.*column.member)) return;
    sets += fmt::format("`{}` = ?, ", column.name);
    values.push_back(detail::bind(after.*column.member));
  });
  if (values.empty()) return false;
  values.emplace_back(sql::DateTime{work.now()});
  values.emplace_back(id);
  work.run(fmt::format("UPDATE {{main}}`{}` SET {}`updated_at` = ? WHERE `id` = ?", Fields::kTable, sets), values);
  return true;
}

// A whole update: finds the row, lays `fields` over it, lets `settle(fields)` complete the result, refuses what
// `validate(fields, problems)` finds newly wrong, and writes what differs.
template <class Fields, class Validate, class Settle>
Result<Row<Fields>> change(Work& work, Id id, std::string_view what, const Fields& fields, Validate&& validate,
                           Settle&& settle) {
  auto row = find_by_id<Fields>(work, id, what);
  if (!row) return row;
  const Fields before = row->fields;
  overlay(row->fields, fields);
  settle(row->fields);

  const auto problems = problems_of_update(before, row->fields, validate);
  if (!problems.none()) return problems.refuse();
  update(work, id, before, row->fields);
  return row;
}

template <class Fields, class Validate>
Result<Row<Fields>> change(Work& work, Id id, std::string_view what, const Fields& fields, Validate&& validate) {
  return change(work, id, what, fields, validate, [](const Fields&) {});
}

// Draws until no row of the table has this value in the column (regardless of case).
template <class Draw>
std::string unique_random(Work& work, std::string_view table, std::string_view column, Draw&& draw) {
  auto sql = fmt::format("SELECT `id` FROM {{main}}`{}` WHERE `{}` = ?", table, column);
  for (;;) {
    std::string value = draw();
    if (!work.exists(sql, {sql::Value(value)})) return value;
  }
}

}  // namespace posthaste::manage
