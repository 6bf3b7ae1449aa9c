#include "store/prepend.h"

#include <set>

#include "mail/header.h"
#include "store/rows.h"

namespace posthaste::store {

namespace {

struct Stored {
  const Conclusion* conclusion;
  Id headers_id;
};
using ByTable = std::map<std::string, std::vector<Stored>>;

// Where the header rows of these messages are. Messages whose raw bytes were removed are left out.
ByTable locate(sql::Connection& connection, const sql::Names& names, std::span<ConcludeWork* const> works) {
  std::map<Id, const Conclusion*> wanted;
  std::vector<Id> ids;
  for (const ConcludeWork* work : works) {
    if (work->conclusion->prepend_headers.empty()) continue;
    if (wanted.emplace(work->conclusion->message_id, work->conclusion).second)
      ids.push_back(work->conclusion->message_id);
  }
  ByTable found;
  std::set<Id> seen;  // lists repeat their last id
  for_id_lists(ids, {}, [&](const std::string& list, std::span<const sql::Value> values) {
    connection.query(
        sql::bind_names("SELECT id, raw_table, raw_headers_id FROM {message}`messages` WHERE id IN ", names) + list +
            " AND raw_table IS NOT NULL AND raw_headers_id IS NOT NULL",
        values, [&](const sql::Row& row) {
          if (!seen.insert(row.integer(0)).second) return;
          found[row.string(1)].push_back({wanted.at(row.integer(0)), row.integer(2)});
        });
  });
  return found;
}

std::map<Id, std::string> header_blocks(sql::Connection& connection, const std::string& quoted_table,
                                        std::span<const Stored> messages) {
  std::set<Id> distinct;
  for (const Stored& message : messages) distinct.insert(message.headers_id);
  const std::vector<Id> ids(distinct.begin(), distinct.end());
  std::map<Id, std::string> blocks;
  for_id_lists(ids, {}, [&](const std::string& list, std::span<const sql::Value> values) {
    connection.query(fmt::format("SELECT id, data FROM {} WHERE id IN {}", quoted_table, list), values,
                     [&](const sql::Row& row) { blocks.emplace(row.integer(0), row.string(1)); });
  });
  return blocks;
}

// The block is kept without its last line end: what is put in front needs one between, and none behind.
std::string joined(std::string_view front, const std::string& block) {
  if (front.ends_with('\n')) front.remove_suffix(1);
  if (front.ends_with('\r')) front.remove_suffix(1);
  return fmt::format("{}{}{}", front, block.empty() ? "" : "\r\n", block);
}

}  // namespace

HeaderIds prepend_headers(sql::Connection& connection, const sql::Names& names, bool in_place,
                          std::span<ConcludeWork* const> works) {
  HeaderIds moved;
  for (const auto& [table, messages] : locate(connection, names, works)) {
    const std::string quoted = sql::bind_names(fmt::format("{{message}}`{}`", table), names);
    const auto blocks = header_blocks(connection, quoted, messages);
    std::vector<std::string> texts;
    texts.reserve(messages.size());  // the rows below look into them
    std::vector<Id> message_ids;
    Rows rows(1);
    for (const auto& [conclusion, headers_id] : messages) {
      const auto block = blocks.find(headers_id);
      if (block == blocks.end()) continue;
      texts.push_back(
          joined(conclusion->prepend_headers, mail::without_fields(block->second, conclusion->remove_headers)));
      if (in_place) {
        connection.run(fmt::format("UPDATE {} SET data = ? WHERE id = ?", quoted),
                       {sql::Blob{texts.back()}, headers_id});
        continue;
      }
      rows.add({sql::Blob{texts.back()}});
      message_ids.push_back(conclusion->message_id);
    }
    if (rows.size() == 0) continue;
    const auto ids = insert_returning_ids(connection, fmt::format("INSERT INTO {} (data)", quoted), rows);
    for (std::size_t i = 0; i < ids.size(); ++i) moved.emplace(message_ids[i], ids[i]);
  }
  return moved;
}

}  // namespace posthaste::store
