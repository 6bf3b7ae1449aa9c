// Statements over many rows: multi-row INSERT and IN lists in a few fixed sizes, so that their texts stay prepared.
#pragma once

#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/sql.h"
#include "store/records.h"

namespace posthaste::store {

// Rows of values for one INSERT. Views and blobs must outlive it.
class Rows {
 public:
  explicit Rows(std::size_t columns) : columns_(columns) {}
  void add(std::initializer_list<sql::Value> row);

  std::size_t columns() const { return columns_; }
  std::size_t size() const { return values_.size() / columns_; }
  std::span<const sql::Value> values() const { return values_; }

 private:
  const std::size_t columns_;
  std::vector<sql::Value> values_;
};

// `into` is everything up to and without VALUES. Statements of 64, 32, ... 1 rows, each of a few megabytes at most.
void insert(sql::Connection& connection, std::string_view into, const Rows& rows);
// The same for tables with an id; gives the ids in the order of the rows.
std::vector<Id> insert_returning_ids(sql::Connection& connection, std::string_view into, const Rows& rows);

// Calls `run` with lists of up to 64 ids: `list` is `(?,?)`, to be put behind IN; `values` begins with `before` and
// goes on with the ids, the last one repeated to fill the list.
using RunList = std::function<void(const std::string& list, std::span<const sql::Value> values)>;
void for_id_lists(std::span<const Id> ids, std::initializer_list<sql::Value> before, const RunList& run);

// Text from outside as a column takes it: valid UTF-8 without NUL, at most `limit` code points; NULL when empty.
sql::Value clean_text(std::string_view text, std::size_t limit);

}  // namespace posthaste::store
