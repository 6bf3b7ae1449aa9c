#include "store/rows.h"

#include <bit>

#include "base/strings.h"

namespace posthaste::store {

namespace {

constexpr std::size_t kRowsPerStatement = 64;
// Far below the smallest max_allowed_packet that an installation for Postal has.
constexpr std::size_t kBytesPerStatement = 4u << 20;

std::size_t bytes_of(std::span<const sql::Value> row) {
  std::size_t bytes = 0;
  for (const sql::Value& value : row)
    if (const auto* blob = std::get_if<sql::Blob>(&value)) bytes += blob->bytes.size();
  return bytes;
}

// How many of the rows from `first` on go into the next statement: a power of two.
std::size_t next_rows(const Rows& rows, std::size_t first) {
  const std::size_t most = std::min(rows.size() - first, kRowsPerStatement);
  std::size_t bytes = 0, fitting = 0;
  for (; fitting < most; ++fitting) {
    bytes += bytes_of(rows.values().subspan((first + fitting) * rows.columns(), rows.columns()));
    if (fitting > 0 && bytes > kBytesPerStatement) break;
  }
  return std::bit_floor(fitting);
}

void insert_in_statements(std::string_view into, std::string_view suffix, const Rows& rows,
                          const std::function<void(const std::string&, std::span<const sql::Value>)>& run) {
  for (std::size_t first = 0; first < rows.size();) {
    const std::size_t count = next_rows(rows, first);
    const std::string text = fmt::format("{} VALUES {}{}", into, sql::placeholders(count, rows.columns()), suffix);
    run(text, rows.values().subspan(first * rows.columns(), count * rows.columns()));
    first += count;
  }
}

}  // namespace

void Rows::add(std::initializer_list<sql::Value> row) { values_.insert(values_.end(), row.begin(), row.end()); }

void insert(sql::Connection& connection, std::string_view into, const Rows& rows) {
  insert_in_statements(into, "", rows, [&](const std::string& text, std::span<const sql::Value> values) {
    connection.run(text, values);
  });
}

std::vector<Id> insert_returning_ids(sql::Connection& connection, std::string_view into, const Rows& rows) {
  std::vector<Id> ids;
  ids.reserve(rows.size());
  insert_in_statements(into, " RETURNING id", rows, [&](const std::string& text, std::span<const sql::Value> values) {
    connection.query(text, values, [&](const sql::Row& row) { ids.push_back(row.integer(0)); });
  });
  // Ids are matched to rows by their order; neither engine promises it in so many words.
  if (ids.size() != rows.size() || !std::ranges::is_sorted(ids))
    throw sql::Failure(sql::FailureKind::Broken, fmt::format("RETURNING gave {} ids for {} rows, or out of order: {}",
                                                             ids.size(), rows.size(), into));
  return ids;
}

void for_id_lists(std::span<const Id> ids, std::initializer_list<sql::Value> before, const RunList& run) {
  std::vector<sql::Value> values;
  while (!ids.empty()) {
    const auto part = ids.first(std::min(ids.size(), kRowsPerStatement));
    const std::size_t size = std::bit_ceil(part.size());
    values.assign(before);
    for (std::size_t i = 0; i < size; ++i) values.emplace_back(part[std::min(i, part.size() - 1)]);
    run(sql::placeholders(1, size), values);
    ids = ids.subspan(part.size());
  }
}

sql::Value clean_text(std::string_view text, std::size_t limit) {
  if (text.empty()) return sql::Null{};
  if (text.find('\0') == text.npos && is_utf8(text)) return utf8_prefix(text, limit);
  std::string cleaned = clean_utf8(text);
  cleaned.resize(utf8_prefix(cleaned, limit).size());
  if (cleaned.empty()) return sql::Null{};
  return cleaned;
}

}  // namespace posthaste::store
