#include <map>

#include "base/log.h"
#include "store/conclude.h"
#include "store/leases.h"
#include "store/rows.h"

namespace posthaste::store {

namespace {

// The column has whole seconds and truncates: a retry must never come early.
Time whole_seconds_up(Time time) { return std::chrono::ceil<std::chrono::seconds>(time); }

constexpr std::string_view kRetry =
    "UPDATE {queue}`queued_messages` SET attempts = attempts + 1, retry_after = ?, locked_by = NULL, locked_at = NULL "
    "WHERE id = ? AND ";

constexpr std::string_view kWait =
    "UPDATE {queue}`queued_messages` SET retry_after = ?, locked_by = NULL, locked_at = NULL WHERE id = ? AND ";

void settle_recovered(sql::Connection& connection, const sql::Names& names, const ConcludeWork& work,
                      const std::string& lease) {
  const Conclusion& c = *work.conclusion;
  const std::string ours =
      c.lease.empty() ? "(locked_by IS NULL OR locked_by LIKE ?)" : "(locked_by IS NULL OR locked_by = ?)";
  const std::string pattern = c.lease.empty() ? node_of_lease(lease) + " %" : c.lease;
  switch (c.queue) {
    case QueueChange::Done:
      connection.run(sql::bind_names("DELETE FROM {queue}`queued_messages` WHERE id = ? AND " + ours, names),
                     {c.queue_id, std::string_view(pattern)});
      return;
    case QueueChange::Retry:
      // Recorded before: the attempt was counted then, too, and the row may have gone on since.
      if (work.recorded_before) return;
      connection.run(
          sql::bind_names(std::string(kRetry) + ours, names),
          {sql::DateTime{whole_seconds_up(c.retry_at.value_or(system_now()))}, c.queue_id, std::string_view(pattern)});
      return;
    case QueueChange::Wait:  // never journalled: nothing was sent
    case QueueChange::Keep:
      connection.run(
          sql::bind_names(
              "UPDATE {queue}`queued_messages` SET locked_by = NULL, locked_at = NULL WHERE id = ? AND " + ours, names),
          {c.queue_id, std::string_view(pattern)});
      return;
  }
}

std::size_t change_all(sql::Connection& connection, const std::string& statement, std::span<const Id> ids,
                       const std::string& lease) {
  std::size_t affected = 0;
  for_id_lists(ids, {std::string_view(lease)}, [&](const std::string& list, std::span<const sql::Value> values) {
    affected += std::size_t(connection.run(statement + list, values).affected);
  });
  return affected;
}

}  // namespace

std::size_t write_queue_changes(sql::Connection& connection, const sql::Names& names,
                                std::span<ConcludeWork* const> works, const std::string& lease) {
  std::vector<Id> done, kept;
  std::size_t wanted = 0, affected = 0;
  const std::string retry = sql::bind_names(std::string(kRetry) + "locked_by = ?", names);
  const std::string wait = sql::bind_names(std::string(kWait) + "locked_by = ?", names);
  for (const ConcludeWork* work : works) {
    const Conclusion& c = *work->conclusion;
    if (c.recovered) {
      settle_recovered(connection, names, *work, lease);
      continue;
    }
    wanted += !work->recorded_before;
    if (c.queue == QueueChange::Done) done.push_back(c.queue_id);
    if (c.queue == QueueChange::Keep) kept.push_back(c.queue_id);
    if (c.queue != QueueChange::Retry && c.queue != QueueChange::Wait) continue;
    const sql::DateTime due{whole_seconds_up(c.retry_at.value_or(system_now()))};
    const auto& statement = c.queue == QueueChange::Wait ? wait : retry;
    affected += std::size_t(connection.run(statement, {due, c.queue_id, std::string_view(lease)}).affected);
  }
  affected += change_all(connection,
                         sql::bind_names("DELETE FROM {queue}`queued_messages` WHERE locked_by = ? AND id IN ", names),
                         done, lease);
  affected += change_all(
      connection,
      sql::bind_names(
          "UPDATE {queue}`queued_messages` SET locked_by = NULL, locked_at = NULL WHERE locked_by = ? AND id IN ",
          names),
      kept, lease);
  return wanted - std::min(wanted, affected);
}

}  // namespace posthaste::store
