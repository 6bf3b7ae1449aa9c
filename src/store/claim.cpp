// Taking the lease of rows that are due (data-model.md 21.3).
#include "base/log.h"
#include "store/rows.h"
#include "store/store_impl.h"

namespace posthaste::store {

namespace {

// Every fourth claim prefers retries, so that a stream of new messages does not starve them.
constexpr unsigned kRetriesEvery = 4;
constexpr auto kPauseAfterFailure = std::chrono::seconds(5);

std::string id_list(std::span<const Id> ids) { return fmt::format("({})", fmt::join(ids, ",")); }

void lock_rows(sql::Connection& connection, const sql::Names& names, std::span<const QueuedMessage> rows,
               const std::string& lease, Time now) {
  std::vector<Id> ids;
  for (const QueuedMessage& row : rows) ids.push_back(row.queue_id);
  for_id_lists(ids, {std::string_view(lease), sql::DateTime{now}},
               [&](const std::string& list, std::span<const sql::Value> values) {
                 connection.run(
                     sql::bind_names("UPDATE {queue}`queued_messages` SET locked_by = ?, locked_at = ? WHERE "
                                     "id IN ",
                                     names) +
                         list,
                     values);
               });
}

std::optional<Time> first_due(sql::Connection& connection, const sql::Names& names, const std::string& claimable) {
  std::optional<Time> due;
  connection.query(
      sql::bind_names(fmt::format("SELECT retry_after, created_at FROM {{queue}}`queued_messages` WHERE {} "
                                  "ORDER BY retry_after, id LIMIT 1",
                                  claimable),
                      names),
      {}, [&](const sql::Row& row) {
        const auto retry_after = row.date_time(0);
        due = retry_after ? *retry_after : row.date_time(1).value_or(Time{});
      });
  return due;
}

}  // namespace

// What a row must be for this process to take it, but for its time. Ids are put in as numbers: they change rarely, and
// the statement stays prepared.
std::string StoreImpl::claimable() const {
  std::string text = "locked_by IS NULL AND locked_at IS NULL AND (ip_address_id IS NULL";
  if (!local_ips_.empty()) text += " OR ip_address_id IN " + id_list(local_ips_);
  text += ")";
  // Deleted mail servers send nothing until they are restored.
  const SnapshotPtr now = snapshot();
  if (!databases_->sqlite() && !now->hidden_servers().empty())
    text += " AND server_id NOT IN " + id_list(now->hidden_servers());
  return text;
}

void StoreImpl::note_local_ips(const std::vector<Id>& local_ips) {
  {
    const std::scoped_lock lock(places_mutex_);
    if (local_ips == local_ips_) return;
    local_ips_ = local_ips;
  }
  if (!databases_->sqlite()) return;
  // Rows that were not ours to take may be now.
  for (const Server* server : snapshot()->servers()) due_.note(server->id, Time{});
}

std::vector<QueuedMessage> StoreImpl::claim(std::size_t limit, const std::vector<Id>& local_ips,
                                            const std::vector<Site>& passed_over) {
  note_local_ips(local_ips);
  const bool retries_first = claims_++ % kRetriesEvery == kRetriesEvery - 1;
  if (!databases_->sqlite()) return claim_at(0, limit, passed_over, retries_first);
  std::vector<QueuedMessage> all;
  const SnapshotPtr directory = snapshot();
  const Time now = system_now();
  for (const Id server_id : due_.take_due(now)) {
    if (!directory->server(server_id)) continue;
    if (all.size() >= limit) {
      due_.note(server_id, now);
      continue;
    }
    try {
      std::ranges::move(claim_at(server_id, limit - all.size(), passed_over, retries_first), std::back_inserter(all));
    } catch (const sql::Failure& failure) {
      log::error("store", "the queue of a mail server cannot be read",
                 {{"server_id", server_id}, {"error", failure.what()}});
      due_.note(server_id, now + kPauseAfterFailure);
    }
  }
  return all;
}

std::vector<QueuedMessage> StoreImpl::claim_at(Id place, std::size_t limit, const std::vector<Site>& passed_over,
                                               bool retries_first) {
  const std::string& lease = lease_.text();
  const sql::Names names = databases_->names(place);
  std::string wanted;
  ClaimScan scan;
  {
    const std::scoped_lock lock(places_mutex_);
    wanted = claimable();
    leased_places_.insert(place);
    scan = scans_[place];
  }
  scan.pass_over(passed_over, std::chrono::steady_clock::now());
  const ClaimScan before = scan;
  free_unclaimed(place);
  std::vector<QueuedMessage> rows;
  std::optional<Time> next;
  try {
    in_transaction(*databases_->queue(place).write, [&](sql::Connection& connection) {
      const Time now = system_now();
      scan = before;  // the transaction may be repeated
      rows = scan.find(connection, names, wanted, retries_first, limit, now);
      lock_rows(connection, names, rows, lease, now);
      if (databases_->sqlite()) next = first_due(connection, names, wanted);
    });
  } catch (const sql::Failure&) {
    const std::scoped_lock lock(places_mutex_);
    for (const QueuedMessage& row : rows) unclaimed_[place].push_back(row.queue_id);
    throw;
  }
  if (next) due_.note(place, *next);
  const std::scoped_lock lock(places_mutex_);
  scans_[place] = std::move(scan);
  return rows;
}

// A COMMIT whose answer was lost may have locked rows that nobody works on. Only before the next claim it is certain
// that none of them is in somebody's hands.
void StoreImpl::free_unclaimed(Id place) {
  std::vector<Id> ids;
  {
    const std::scoped_lock lock(places_mutex_);
    if (const auto found = unclaimed_.find(place); found != unclaimed_.end()) ids = found->second;
  }
  if (ids.empty()) return;
  in_transaction(*databases_->queue(place).write, [&](sql::Connection& connection) {
    for_id_lists(ids, {std::string_view(lease_.text())},
                 [&](const std::string& list, std::span<const sql::Value> values) {
                   connection.run(sql::bind_names("UPDATE {queue}`queued_messages` SET locked_by = NULL, locked_at = "
                                                  "NULL WHERE locked_by = ? AND id IN ",
                                                  databases_->names(place)) +
                                      list,
                                  values);
                 });
  });
  const std::scoped_lock lock(places_mutex_);
  unclaimed_.erase(place);
}

std::optional<Time> StoreImpl::next_due() { return databases_->sqlite() ? due_.next() : next_due_at(0); }

std::optional<Time> StoreImpl::next_due_at(Id place) {
  std::string wanted;
  {
    const std::scoped_lock lock(places_mutex_);
    if (unclaimed_.contains(place)) return Time{};
    wanted = claimable();
  }
  std::optional<Time> next;
  with_connection(*databases_->queue(place).read,
                  [&](sql::Connection& connection) { next = first_due(connection, databases_->names(place), wanted); });
  return next;
}

}  // namespace posthaste::store
