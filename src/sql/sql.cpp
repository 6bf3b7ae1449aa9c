#include "sql/sql.h"

#include <array>

namespace posthaste::sql {

Result Connection::run(std::string_view sql, std::span<const Value> values) {
  Statement& statement = prepare(sql);
  statement.execute(values);
  while (statement.step()) continue;
  return last_result();
}

void Connection::query(std::string_view sql, std::span<const Value> values,
                       const std::function<void(const Row&)>& each) {
  Statement& statement = prepare(sql);
  statement.execute(values);
  try {
    while (statement.step()) each(statement.row());
  } catch (...) {
    statement.reset();  // an open result would hold back checkpoints and DDL
    throw;
  }
}

std::optional<std::int64_t> Connection::scalar(std::string_view sql, std::initializer_list<Value> values) {
  std::optional<std::int64_t> found;
  bool first = true;
  query(sql, values, [&](const Row& row) {
    if (std::exchange(first, false)) found = row.maybe_integer(0);
  });
  return found;
}

std::string bind_names(std::string_view sql, const Names& names) {
  const std::array<std::pair<std::string_view, std::string_view>, 3> places = {
      {{"{main}", names.main}, {"{message}", names.message}, {"{queue}", names.queue}}};
  std::string bound;
  bound.reserve(sql.size() + 64);
  while (!sql.empty()) {
    const auto brace = sql.find('{');
    bound += sql.substr(0, brace);
    if (brace == std::string_view::npos) break;
    sql.remove_prefix(brace);
    const auto place = std::ranges::find_if(places, [&](const auto& p) { return sql.starts_with(p.first); });
    if (place == places.end()) {
      bound += '{';
      sql.remove_prefix(1);
      continue;
    }
    bound += place->second;
    sql.remove_prefix(place->first.size());
  }
  return bound;
}

std::string placeholders(std::size_t rows, std::size_t columns) {
  std::string row = "(";
  for (std::size_t i = 0; i < columns; ++i) row += i == 0 ? "?" : ",?";
  row += ')';
  std::string all;
  all.reserve(rows * (row.size() + 1));
  for (std::size_t i = 0; i < rows; ++i) {
    if (i != 0) all += ',';
    all += row;
  }
  return all;
}

}  // namespace posthaste::sql
