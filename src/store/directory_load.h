// Reading the configuration tables into rows; part of the directory.
#pragma once

#include "store/directory_snapshot.h"

namespace posthaste::store {

// Reads columns in the order in which they are named in the SELECT.
class Columns {
 public:
  explicit Columns(const sql::Row& row) : row_(row) {}
  Id id() { return row_.integer(next_++); }
  int number() { return int(row_.integer(next_++)); }
  bool flag() { return row_.flag(next_++); }
  std::string text() { return row_.string(next_++); }
  std::optional<std::int64_t> maybe_id() { return row_.maybe_integer(next_++); }
  std::optional<std::string> maybe_text() { return row_.maybe_string(next_++); }
  std::optional<Time> time() { return row_.date_time(next_++); }
  std::optional<double> maybe_real() {
    const int column = next_++;
    return row_.is_null(column) ? std::nullopt : std::optional(row_.real(column));
  }

 private:
  const sql::Row& row_;
  int next_ = 0;
};

class Reader {
 public:
  Reader(sql::Connection& connection, const sql::Names& names) : connection_(connection), names_(names) {}

  template <class T, class Read>
  std::vector<T> rows(std::string_view select, Read read) {
    std::vector<T> all;
    connection_.query(sql::bind_names(select, names_), {}, [&](const sql::Row& row) {
      Columns columns(row);
      read(columns, all.emplace_back());
    });
    return all;
  }

 private:
  sql::Connection& connection_;
  const sql::Names& names_;
};

// Where mail goes and who is told: endpoints, webhooks, tracking domains.
void read_endpoints(Reader& reader, ConfigurationRows& rows);

}  // namespace posthaste::store
