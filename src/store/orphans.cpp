// Messages on one MariaDB instance whose queue rows on the other were never written: the process ended between the two
// commits, and nobody was told that they were accepted (data-model.md 21.1). Where one transaction covers both there
// are none.
#include <set>

#include "base/log.h"
#include "store/rows.h"
#include "store/store_impl.h"

namespace posthaste::store {

namespace {

// Younger ones may be between their two commits; older ones were there at earlier starts.
constexpr auto kYoungest = std::chrono::minutes(2);
constexpr auto kOldest = std::chrono::hours(24);

std::vector<Id> without_deliveries(sql::Connection& connection, const sql::Names& names) {
  const Time now = system_now();
  std::vector<Id> ids;
  connection.query(
      sql::bind_names(
          "SELECT id FROM {message}`messages` m WHERE status = 'Pending' AND timestamp > ? AND timestamp < ? "
          "AND NOT EXISTS (SELECT 1 FROM {message}`deliveries` d WHERE d.message_id = m.id)",
          names),
      {sql::UnixTime{now - kOldest}, sql::UnixTime{now - kYoungest}},
      [&](const sql::Row& row) { ids.push_back(row.integer(0)); });
  return ids;
}

std::set<Id> queued(sql::Connection& connection, const sql::Names& names, Id server_id, std::span<const Id> ids) {
  std::set<Id> found;
  for_id_lists(ids, {server_id}, [&](const std::string& list, std::span<const sql::Value> values) {
    connection.query(
        sql::bind_names("SELECT message_id FROM {queue}`queued_messages` WHERE server_id = ? AND message_id IN ",
                        names) +
            list,
        values, [&](const sql::Row& row) { found.insert(row.integer(0)); });
  });
  return found;
}

}  // namespace

void StoreImpl::remove_orphans() {
  if (databases_->together()) return;
  for (const Server* server : snapshot()->servers()) {
    try {
      remove_orphans(server->id);
    } catch (const sql::Failure& failure) {
      if (failure.kind() != sql::FailureKind::MissingTable) throw;  // a mail server whose database is gone
    }
  }
}

void StoreImpl::remove_orphans(Id server_id) {
  const sql::Names names = databases_->names(server_id);
  std::vector<Id> ids;
  with_messages(server_id, [&](sql::Connection& c, const sql::Names& n) { ids = without_deliveries(c, n); });
  std::set<Id> in_queue;
  with_connection(*databases_->queue(server_id).read,
                  [&](sql::Connection& c) { in_queue = queued(c, names, server_id, ids); });
  std::erase_if(ids, [&](Id id) { return in_queue.contains(id); });
  if (ids.empty()) return;
  in_transaction(*databases_->messages(server_id).write, [&](sql::Connection& connection) {
    for_id_lists(ids, {}, [&](const std::string& list, std::span<const sql::Value> values) {
      connection.run(
          sql::bind_names("DELETE FROM {message}`messages` WHERE status = 'Pending' AND id IN ", names) + list, values);
    });
  });
  log::warn("store", "messages that were never accepted were removed",
            {{"server_id", server_id}, {"messages", ids.size()}});
}

}  // namespace posthaste::store
