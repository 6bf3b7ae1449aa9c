// Rows of leases that nobody works under any more go back to work (data-model.md 7.2, 22.2).
#include "base/log.h"
#include "store/rows.h"
#include "store/store_impl.h"

namespace posthaste::store {

namespace {

constexpr auto kRestamp = std::chrono::minutes(10);
constexpr std::int64_t kRowsAtOnce = 500;

struct LockedRow {
  Id id = 0, server_id = 0, message_id = 0;
  Time locked_at;
};

std::vector<LockedRow> locked_rows(sql::Connection& connection, const sql::Names& names, const std::string& text,
                                   Time locked_before) {
  std::vector<LockedRow> rows;
  connection.query(
      sql::bind_names(
          "SELECT id, server_id, message_id, locked_at FROM {queue}`queued_messages` WHERE locked_at IS NOT "
          "NULL AND locked_by = ? AND locked_at < ? ORDER BY id LIMIT ?",
          names),
      {std::string_view(text), sql::DateTime{locked_before}, kRowsAtOnce}, [&](const sql::Row& row) {
        rows.push_back({row.integer(0), row.integer(1), row.integer(2), row.date_time(3).value_or(Time{})});
      });
  return rows;
}

// Whoever held the row had sent the message, and then could not remove the row.
bool sent_since(sql::Connection& connection, const sql::Names& names, const LockedRow& row) {
  return connection
      .scalar(sql::bind_names("SELECT 1 FROM {message}`deliveries` WHERE message_id = ? AND status = 'Sent' AND "
                              "timestamp >= ? LIMIT 1",
                              names),
              {row.message_id, sql::UnixTime{row.locked_at}})
      .has_value();
}

}  // namespace

const std::string& StoreImpl::lease() const { return lease_.text(); }

bool StoreImpl::heartbeat() {
  if (!lease_.heartbeat()) return false;
  const auto now = std::chrono::steady_clock::now();
  if (now - restamped_ < kRestamp) return true;
  // Keeps a Postal beside us, which takes old locks for stale, away from rows in flight.
  std::set<Id> places;
  {
    const std::scoped_lock lock(places_mutex_);
    places = leased_places_;
  }
  for (const Id place : places)
    in_transaction(*databases_->queue(place).write, [&](sql::Connection& connection) {
      connection.run(
          sql::bind_names("UPDATE {queue}`queued_messages` SET locked_at = ? WHERE locked_at IS NOT NULL AND "
                          "locked_by = ?",
                          databases_->names(place)),
          {sql::DateTime{system_now()}, std::string_view(lease_.text())});
    });
  restamped_ = now;
  return true;
}

std::vector<Id> StoreImpl::queue_places(std::optional<Id> only) const {
  if (!databases_->sqlite()) return {0};
  if (only) return {*only};
  std::vector<Id> places;
  for (const Server* server : snapshot()->servers()) places.push_back(server->id);
  return places;
}

std::size_t StoreImpl::reclaim() {
  lease_.text();  // a new start makes the rows of the one before free
  std::call_once(orphans_removed_, [this] { remove_orphans(); });
  KnownNodes nodes;
  with_connection(*databases_->main().read,
                  [&](sql::Connection& connection) { nodes = known_nodes(connection, databases_->names(0)); });
  requests_.reclaim(nodes);
  std::size_t freed = 0;
  for (const Id place : queue_places({})) {
    try {
      freed += reclaim_at(place, nodes);
    } catch (const sql::Failure& failure) {
      if (!databases_->sqlite()) throw;
      log::error("store", "the queue of a mail server cannot be read",
                 {{"server_id", place}, {"error", failure.what()}});
    }
  }
  return freed;
}

std::size_t StoreImpl::reclaim_at(Id place, const KnownNodes& nodes) {
  const sql::Names names = databases_->names(place);
  std::vector<OtherLease> leases;
  with_connection(*databases_->queue(place).read, [&](sql::Connection& connection) {
    leases = other_leases(connection, names.queue + "`queued_messages`", nodes, lease_.text());
  });
  std::size_t freed = 0;
  for (const OtherLease& lease : leases) {
    if (!lease.dead && !lease.foreign) continue;
    for (std::size_t rows = 1; rows > 0; freed += rows)
      in_transaction(*databases_->queue(place).write,
                     [&](sql::Connection& connection) { rows = free_rows(connection, names, lease); });
  }
  if (freed > 0 && databases_->sqlite()) due_.note(place, Time{});
  return freed;
}

std::size_t StoreImpl::free_rows(sql::Connection& connection, const sql::Names& names, const OtherLease& lease) {
  const auto stale = std::chrono::days(config_->postal.queued_message_lock_stale_days);
  const Time before = lease.foreign ? system_now() - stale : system_now() + std::chrono::days(1);
  const std::vector<LockedRow> rows = locked_rows(connection, names, lease.text, before);
  if (rows.empty()) return 0;
  log::warn("store", "rows of a lease that nobody holds any more go back to work",
            {{"lease", lease.text}, {"rows", rows.size()}});

  std::vector<Id> sent, waiting;
  for (const LockedRow& row : rows) {
    bool is_sent = false;
    try {
      if (databases_->together())
        is_sent = sent_since(connection, databases_->names(row.server_id), row);
      else
        with_messages(row.server_id, [&](sql::Connection& c, const sql::Names& n) { is_sent = sent_since(c, n, row); });
    } catch (const sql::Failure& failure) {
      if (failure.kind() != sql::FailureKind::MissingTable) throw;  // its mail server is gone: whoever claims it sees
    }
    (is_sent ? sent : waiting).push_back(row.id);
  }
  const auto each = [&](std::span<const Id> ids, std::string_view statement) {
    for_id_lists(ids, {std::string_view(lease.text)}, [&](const std::string& list, std::span<const sql::Value> values) {
      connection.run(sql::bind_names(statement, names) + list, values);
    });
  };
  each(sent, "DELETE FROM {queue}`queued_messages` WHERE locked_by = ? AND id IN ");
  each(waiting,
       "UPDATE {queue}`queued_messages` SET locked_by = NULL, locked_at = NULL WHERE locked_by = ? AND id IN ");
  return rows.size();
}

std::size_t StoreImpl::release_all() {
  if (!lease_.taken()) return 0;
  std::set<Id> places;
  {
    const std::scoped_lock lock(places_mutex_);
    places = leased_places_;
  }
  std::size_t released = 0;
  for (const Id place : places) {
    in_transaction(*databases_->queue(place).write, [&](sql::Connection& connection) {
      released += std::size_t(
          connection
              .run(sql::bind_names("UPDATE {queue}`queued_messages` SET locked_by = NULL, locked_at = NULL WHERE "
                                   "locked_at IS NOT NULL AND locked_by = ?",
                                   databases_->names(place)),
                   {std::string_view(lease_.text())})
              .affected);
    });
    if (databases_->sqlite()) due_.note(place, Time{});
  }
  return released;
}

}  // namespace posthaste::store
