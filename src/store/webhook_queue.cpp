#include "base/log.h"
#include "store/rows.h"
#include "store/webhook_queue_impl.h"
#include "store/webhook_rows.h"

namespace posthaste::store {

namespace {

constexpr auto kLookAgain = std::chrono::seconds(1);  // at requests that were passed over
constexpr auto kPauseAfterFailure = std::chrono::seconds(5);
// A Postal holds a request for the seconds of its time-out; rows that it left locked would stay so for ever.
constexpr auto kForeignLock = std::chrono::minutes(10);

constexpr std::string_view kUnlock = "locked_by = NULL, locked_at = NULL";

std::string id_list(const auto& ids) { return fmt::format("({})", fmt::join(ids, ",")); }

WebhookRequest request_of(const sql::Row& row) {
  WebhookRequest r;
  r.id = row.integer(0);
  r.server_id = row.integer(1);
  r.webhook_id = row.integer(2);
  r.url = row.string(3);
  r.event = row.string(4);
  r.uuid = row.string(5);
  r.payload = row.string(6);
  r.attempts = int(row.integer(7));
  r.created_at = row.date_time(8).value_or(Time{});
  return r;
}

std::vector<WebhookRequest> select_due(sql::Connection& connection, const std::string& table, const std::string& where,
                                       std::size_t limit, Time now) {
  const char* locking = connection.dialect() == sql::Dialect::MariaDb ? " FOR UPDATE SKIP LOCKED" : "";
  std::vector<WebhookRequest> rows;
  connection.query(
      fmt::format("SELECT id, server_id, webhook_id, url, event, uuid, payload, attempts, created_at FROM {} WHERE {} "
                  "AND (retry_after IS NULL OR retry_after <= ?) ORDER BY id LIMIT ?{}",
                  table, where, locking),
      {sql::DateTime{now}, std::int64_t(limit)}, [&](const sql::Row& row) { rows.push_back(request_of(row)); });
  return rows;
}

void lock_rows(sql::Connection& connection, const std::string& table, std::span<const WebhookRequest> rows,
               const std::string& lease, Time now) {
  std::vector<Id> ids;
  for (const auto& row : rows) ids.push_back(row.id);
  for_id_lists(ids, {std::string_view(lease), sql::DateTime{now}},
               [&](const std::string& list, std::span<const sql::Value> values) {
                 connection.run(fmt::format("UPDATE {} SET locked_by = ?, locked_at = ? WHERE id IN {}", table, list),
                                values);
               });
}

// When the first unlocked row, passed over or not, is due.
std::optional<Time> first_due(sql::Connection& connection, const std::string& table, Time now) {
  std::optional<Time> due;
  connection.query(
      fmt::format("SELECT retry_after FROM {} WHERE locked_at IS NULL ORDER BY retry_after LIMIT 1", table), {},
      [&](const sql::Row& row) { due = std::max(row.date_time(0).value_or(now), now + kLookAgain); });
  return due;
}

}  // namespace

std::string WebhookQueueImpl::table(Id place) const { return requests_table(context_.databases.names(place)); }

std::vector<Id> WebhookQueueImpl::places() const {
  if (!context_.databases.sqlite()) return {0};
  std::vector<Id> ids;
  for (const Server* server : context_.snapshot()->servers()) ids.push_back(server->id);
  return ids;
}

std::vector<WebhookRequest> WebhookQueueImpl::claim(std::size_t limit, const std::set<Id>& but) {
  if (!context_.databases.sqlite()) return claim_at(0, limit, but);
  const Time now = system_now();
  const auto directory = context_.snapshot();
  std::vector<WebhookRequest> all;
  for (const Id server_id : due_.take_due(now)) {
    if (!directory->server(server_id)) continue;
    if (all.size() >= limit) {
      due_.note(server_id, now);
      continue;
    }
    try {
      std::ranges::move(claim_at(server_id, limit - all.size(), but), std::back_inserter(all));
    } catch (const sql::Failure& failure) {
      log::error("store", "the webhook requests of a mail server cannot be read",
                 {{"server_id", server_id}, {"error", failure.what()}});
      due_.note(server_id, now + kPauseAfterFailure);
    }
  }
  return all;
}

std::vector<WebhookRequest> WebhookQueueImpl::claim_at(Id place, std::size_t limit, const std::set<Id>& but) {
  const std::string& lease = context_.lease.text();
  const std::string from = table(place);
  std::string where = "locked_by IS NULL AND locked_at IS NULL";
  if (!but.empty()) where += " AND webhook_id NOT IN " + id_list(but);
  const auto& hidden = context_.snapshot()->hidden_servers();
  if (!context_.databases.sqlite() && !hidden.empty()) where += " AND server_id NOT IN " + id_list(hidden);
  free_unclaimed(place);
  {
    const std::scoped_lock lock(mutex_);
    leased_places_.insert(place);
  }
  std::vector<WebhookRequest> rows;
  std::optional<Time> next;
  try {
    in_transaction(*context_.databases.queue(place).write, [&](sql::Connection& connection) {
      const Time now = system_now();
      rows = select_due(connection, from, where, limit, now);
      lock_rows(connection, from, rows, lease, now);
      if (context_.databases.sqlite()) next = first_due(connection, from, now);
    });
  } catch (const sql::Failure&) {
    const std::scoped_lock lock(mutex_);
    for (const auto& row : rows) unclaimed_[place].push_back(row.id);
    throw;
  }
  if (next) due_.note(place, rows.size() == limit ? Time{} : *next);
  return rows;
}

// A COMMIT whose answer was lost may have locked rows that nobody works on.
void WebhookQueueImpl::free_unclaimed(Id place) {
  std::vector<Id> ids;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto found = unclaimed_.find(place); found != unclaimed_.end()) ids = found->second;
  }
  if (ids.empty()) return;
  in_transaction(*context_.databases.queue(place).write, [&](sql::Connection& connection) {
    for_id_lists(ids, {std::string_view(context_.lease.text())},
                 [&](const std::string& list, std::span<const sql::Value> values) {
                   connection.run(
                       fmt::format("UPDATE {} SET {} WHERE locked_by = ? AND id IN {}", table(place), kUnlock, list),
                       values);
                 });
  });
  const std::scoped_lock lock(mutex_);
  unclaimed_.erase(place);
}

void WebhookQueueImpl::change_ours(const std::vector<WebhookRequest>& requests, std::string_view statement) {
  std::map<Id, std::vector<Id>> by_place;
  for (const auto& request : requests)
    by_place[context_.databases.sqlite() ? request.server_id : 0].push_back(request.id);
  for (const auto& [place, ids] : by_place) {
    in_transaction(*context_.databases.queue(place).write, [&](sql::Connection& connection) {
      for_id_lists(ids, {std::string_view(context_.lease.text())},
                   [&](const std::string& list, std::span<const sql::Value> values) {
                     connection.run(fmt::format(fmt::runtime(statement), table(place)) + list, values);
                   });
    });
    note_due(place, system_now() + kLookAgain);
  }
}

void WebhookQueueImpl::give_back(const std::vector<WebhookRequest>& requests) {
  change_ours(requests, "UPDATE {} SET locked_by = NULL, locked_at = NULL WHERE locked_by = ? AND id IN ");
}

void WebhookQueueImpl::remove(const std::vector<WebhookRequest>& requests) {
  change_ours(requests, "DELETE FROM {} WHERE locked_by = ? AND id IN ");
}

std::size_t WebhookQueueImpl::make_all_due() {
  std::size_t changed = 0;
  for (const Id place : places()) {
    with_connection(*context_.databases.queue(place).write, [&](sql::Connection& connection) {
      changed += std::size_t(
          connection
              .run(fmt::format("UPDATE {} SET retry_after = NULL WHERE locked_at IS NULL AND retry_after IS NOT NULL",
                               table(place)))
              .affected);
    });
    note_due(place, Time{});
  }
  tell();
  return changed;
}

std::size_t WebhookQueueImpl::release_all() {
  if (!context_.lease.taken()) return 0;
  std::set<Id> places;
  {
    const std::scoped_lock lock(mutex_);
    places = leased_places_;
  }
  std::size_t released = 0;
  for (const Id place : places) {
    in_transaction(*context_.databases.queue(place).write, [&](sql::Connection& connection) {
      released += std::size_t(
          connection
              .run(fmt::format("UPDATE {} SET {} WHERE locked_at IS NOT NULL AND locked_by = ?", table(place), kUnlock),
                   {std::string_view(context_.lease.text())})
              .affected);
    });
    note_due(place, Time{});
  }
  return released;
}

void WebhookQueueImpl::reclaim(const KnownNodes& nodes) {
  for (const Id place : places()) {
    try {
      free_stale(place, nodes);
    } catch (const sql::Failure& failure) {
      if (!context_.databases.sqlite()) throw;
      log::error("store", "the webhook requests of a mail server cannot be read",
                 {{"server_id", place}, {"error", failure.what()}});
    }
  }
}

void WebhookQueueImpl::free_stale(Id place, const KnownNodes& nodes) {
  const std::string from = table(place);
  std::vector<OtherLease> leases;
  with_connection(*context_.databases.queue(place).read, [&](sql::Connection& connection) {
    leases = other_leases(connection, from, nodes, context_.lease.text());
  });
  const Time now = system_now();
  std::size_t freed = 0;
  for (const OtherLease& lease : leases) {
    if (!lease.dead && !lease.foreign) continue;
    const Time before = lease.foreign ? now - kForeignLock : now + std::chrono::days(1);
    in_transaction(*context_.databases.queue(place).write, [&](sql::Connection& connection) {
      freed +=
          std::size_t(connection
                          .run(fmt::format("UPDATE {} SET {} WHERE locked_by = ? AND locked_at < ?", from, kUnlock),
                               {std::string_view(lease.text), sql::DateTime{before}})
                          .affected);
    });
  }
  if (freed == 0) return;
  log::info("store", "webhook requests of processes that are gone are due again", {{"count", freed}});
  note_due(place, Time{});
  tell();
}

bool WebhookQueueImpl::exists(Id webhook_id) {
  bool found = false;
  const sql::Names names = context_.databases.names(0);
  with_connection(*context_.databases.main().read, [&](sql::Connection& connection) {
    found = connection.scalar(sql::bind_names("SELECT 1 FROM {main}`webhooks` WHERE id = ?", names), {webhook_id})
                .has_value();
  });
  return found;
}

void WebhookQueueImpl::note_used(Id webhook_id, Time when) {
  const std::scoped_lock lock(mutex_);
  Time& last = used_[webhook_id];
  last = std::max(last, when);
}

void WebhookQueueImpl::flush_used() {
  std::map<Id, Time> used;
  {
    const std::scoped_lock lock(mutex_);
    used.swap(used_);
  }
  if (used.empty()) return;
  const std::string update =
      sql::bind_names("UPDATE {main}`webhooks` SET last_used_at = ? WHERE id = ?", context_.databases.names(0));
  try {
    in_transaction(*context_.databases.main().write, [&](sql::Connection& connection) {
      for (const auto& [id, when] : used) connection.run(update, {sql::DateTime{when}, id});
    });
  } catch (const sql::Failure&) {
    for (const auto& [id, when] : used) note_used(id, when);
    throw;
  }
}

void WebhookQueueImpl::on_due(std::function<void()> listener) {
  const std::scoped_lock lock(mutex_);
  listener_ = std::move(listener);
}

void WebhookQueueImpl::note_due(Id server_id, Time due) {
  if (context_.databases.sqlite()) due_.note(server_id, due);
}

// Under the lock: a listener that was taken away is not called any more.
void WebhookQueueImpl::tell() {
  const std::scoped_lock lock(mutex_);
  if (listener_) listener_();
}

}  // namespace posthaste::store
