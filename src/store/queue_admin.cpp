// The queue for people: listing, and acting on what is listed.
#include "base/strings.h"
#include "store/rows.h"
#include "store/store_impl.h"

namespace posthaste::store {

std::vector<QueueEntry> StoreImpl::queue_at(Id place, const QueueFilter& filter) {
  std::string where = "1 = 1";
  std::vector<sql::Value> values;
  const auto also = [&](std::string_view condition, sql::Value value) {
    where += condition;
    values.push_back(std::move(value));
  };
  if (filter.server_id) also(" AND server_id = ?", *filter.server_id);
  if (filter.message_id) also(" AND message_id = ?", *filter.message_id);
  // Folded on both sides: the two engines compare differently by themselves.
  if (!filter.domain.empty()) also(" AND LOWER(domain) = ?", to_lower(filter.domain));
  if (filter.created_before) also(" AND created_at < ?", sql::DateTime{*filter.created_before});
  if (filter.limit > 0) values.emplace_back(std::int64_t(filter.limit));

  std::vector<QueueEntry> entries;
  with_connection(*databases_->queue(place).read, [&](sql::Connection& connection) {
    entries.clear();
    connection.query(
        sql::bind_names(
            fmt::format("SELECT id, server_id, message_id, domain, attempts, manual, locked_at, retry_after, "
                        "created_at, locked_by FROM {{queue}}`queued_messages` WHERE {} ORDER BY id{}",
                        where, filter.limit > 0 ? " LIMIT ?" : ""),
            databases_->names(place)),
        values, [&](const sql::Row& row) {
          QueueEntry& e = entries.emplace_back();
          e.queue_id = row.integer(0);
          e.server_id = row.integer(1);
          e.message_id = row.integer(2);
          e.domain = row.string(3);
          e.attempts = int(row.integer(4));
          e.manual = row.flag(5);
          e.locked = !row.is_null(6);
          e.retry_after = row.date_time(7);
          e.created_at = row.date_time(8).value_or(Time{});
          e.locked_by = row.string(9);
        });
  });
  return entries;
}

std::vector<QueueEntry> StoreImpl::queue(const QueueFilter& filter) {
  std::vector<QueueEntry> all;
  for (const Id place : queue_places(filter.server_id))
    std::ranges::move(queue_at(place, filter), std::back_inserter(all));
  std::ranges::stable_sort(all, {}, &QueueEntry::created_at);
  if (filter.limit > 0 && all.size() > filter.limit) all.resize(filter.limit);
  return all;
}

// `statement` ends in IN; it says itself which rows it spares.
std::size_t StoreImpl::change_entries(const QueueFilter& filter, std::string_view statement) {
  std::map<Id, std::vector<Id>> by_place;
  for (const QueueEntry& entry : queue(filter))
    by_place[databases_->sqlite() ? entry.server_id : 0].push_back(entry.queue_id);
  std::size_t changed = 0;
  for (const auto& [place, ids] : by_place) {
    // Small transactions: nobody else waits long, and a cluster does not choke on them.
    for (std::size_t first = 0; first < ids.size(); first += 512) {
      const auto part = std::span(ids).subspan(first, std::min<std::size_t>(512, ids.size() - first));
      std::size_t in_part = 0;
      in_transaction(*databases_->queue(place).write, [&](sql::Connection& connection) {
        in_part = 0;
        for_id_lists(part, {}, [&](const std::string& list, std::span<const sql::Value> values) {
          const std::string text = sql::bind_names(statement, databases_->names(place)) + list;
          in_part += std::size_t(connection.run(text, values).affected);
        });
      });
      changed += in_part;
    }
    if (databases_->sqlite()) due_.note(place, Time{});
  }
  return changed;
}

std::size_t StoreImpl::queue_retry_now(const QueueFilter& filter) {
  return change_entries(filter, "UPDATE {queue}`queued_messages` SET retry_after = NULL WHERE id IN ");
}

std::size_t StoreImpl::queue_delete(const QueueFilter& filter) {
  return change_entries(filter, "DELETE FROM {queue}`queued_messages` WHERE locked_at IS NULL AND id IN ");
}

Store::QueueNumbers StoreImpl::queue_numbers() {
  QueueNumbers numbers;
  const sql::DateTime now{system_now()};
  for (const Id place : queue_places({})) {
    with_connection(*databases_->queue(place).read, [&](sql::Connection& connection) {
      connection.query(
          sql::bind_names("SELECT SUM(CASE WHEN locked_at IS NULL AND (retry_after IS NULL OR retry_after <= ?) THEN 1 "
                          "ELSE 0 END), SUM(CASE WHEN locked_at IS NULL AND retry_after > ? THEN 1 ELSE 0 END), "
                          "SUM(CASE WHEN locked_at IS NOT NULL THEN 1 ELSE 0 END), MIN(CASE WHEN locked_at IS NULL AND "
                          "(retry_after IS NULL OR retry_after <= ?) THEN created_at END) FROM "
                          "{queue}`queued_messages`",
                          databases_->names(place)),
          {now, now, now}, [&](const sql::Row& row) {
            numbers.ready += row.integer(0);
            numbers.deferred += row.integer(1);
            numbers.active += row.integer(2);
            const auto oldest = row.date_time(3);
            if (oldest && (!numbers.oldest_ready || *oldest < *numbers.oldest_ready)) numbers.oldest_ready = oldest;
          });
    });
  }
  for (const Server* server : snapshot()->servers()) {
    try {
      with_messages(server->id, [&](sql::Connection& connection, const sql::Names& names) {
        numbers.held +=
            connection.scalar(sql::bind_names("SELECT COUNT(*) FROM {message}`messages` WHERE held = 1", names))
                .value_or(0);
      });
    } catch (const sql::Failure& failure) {
      if (failure.kind() != sql::FailureKind::MissingTable) throw;  // a mail server whose database is gone
    }
  }
  return numbers;
}

}  // namespace posthaste::store
