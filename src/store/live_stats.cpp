#include "store/live_stats.h"

#include "base/log.h"

namespace posthaste::store {

namespace {

constexpr auto kRefresh = std::chrono::seconds(2);
constexpr auto kRing = std::chrono::minutes(60);

Time minute_of(Time time) { return std::chrono::floor<std::chrono::minutes>(time); }

std::int64_t sent(const std::map<std::pair<Scope, Time>, std::int64_t>& minutes) {
  std::int64_t total = 0;
  for (const auto& [of, count] : minutes)
    if (of.first == Scope::Outgoing) total += count;
  return total;
}

}  // namespace

void LiveStats::count_sent(Id server_id, Time now) {
  const std::scoped_lock lock(mutex_);
  ++pending_[server_id][{Scope::Outgoing, minute_of(now)}];
}

void LiveStats::count_received(Id server_id, Time now) {
  const std::scoped_lock lock(mutex_);
  ++pending_[server_id][{Scope::Incoming, minute_of(now)}];
}

std::int64_t LiveStats::sent_last_hour(Id server_id, Time now) {
  const auto known = [&](std::int64_t stored) {
    const auto of = [&](const auto& map) {
      const auto at = map.find(server_id);
      return at == map.end() ? 0 : sent(at->second);
    };
    return stored + of(pending_) + of(flushing_);
  };
  {
    const std::scoped_lock lock(mutex_);
    const auto total = totals_.find(server_id);
    if (total != totals_.end() && now - total->second.read_at < kRefresh && now >= total->second.read_at)
      return known(total->second.stored);
  }
  // While this reads, a flush may move counts from memory into the table: they count twice for two seconds, at worst.
  const std::int64_t stored = read(server_id, now);
  const std::scoped_lock lock(mutex_);
  totals_[server_id] = {stored, now};
  return known(stored);
}

std::int64_t LiveStats::read(Id server_id, Time now) {
  std::int64_t total = 0;
  with_connection(*databases_.messages(server_id).read, [&](sql::Connection& connection) {
    total = connection
                .scalar(sql::bind_names("SELECT SUM(count) FROM {message}`live_stats` WHERE type = 'outgoing' AND "
                                        "timestamp > ?",
                                        databases_.names(server_id)),
                        {sql::UnixTime{minute_of(now - kRing)}})
                .value_or(0);
  });
  return total;
}

void LiveStats::flush() {
  {
    const std::scoped_lock lock(mutex_);
    if (pending_.empty()) return;
    for (auto& [server_id, minutes] : pending_)
      for (const auto& [of, count] : minutes) flushing_[server_id][of] += count;
    pending_.clear();
  }
  // Only this function changes flushing_ outside the lock's short moments, and one thread calls it.
  std::map<Id, Minutes> todo;
  {
    const std::scoped_lock lock(mutex_);
    todo = flushing_;
  }
  for (const auto& [server_id, minutes] : todo) {
    try {
      write(server_id, minutes);
    } catch (const sql::Failure& failure) {
      if (failure.kind() == sql::FailureKind::MissingTable) {
        const std::scoped_lock lock(mutex_);
        flushing_.erase(server_id);  // the mail server is gone
        continue;
      }
      throw;  // the rest waits for the next flush
    }
    const std::scoped_lock lock(mutex_);
    if (const auto total = totals_.find(server_id); total != totals_.end()) total->second.stored += sent(minutes);
    flushing_.erase(server_id);
  }
}

void LiveStats::write(Id server_id, const Minutes& minutes) {
  const sql::Names names = databases_.names(server_id);
  in_transaction(*databases_.messages(server_id).write, [&](sql::Connection& connection) {
    for (const auto& [of, count] : minutes) {
      const auto& [scope, minute] = of;
      const std::int64_t of_hour = minute.time_since_epoch() / std::chrono::minutes(1) % 60;
      const sql::UnixTime now{std::min<Time>(minute + std::chrono::seconds(59), system_now())},
          old{now.time - std::chrono::seconds(1800)};
      const auto updated =
          connection.run(sql::bind_names("UPDATE {message}`live_stats` SET count = CASE WHEN timestamp < ? THEN ? ELSE "
                                         "count + ? END, timestamp = ? WHERE type = ? AND minute = ?",
                                         names),
                         {old, count, count, now, to_text(scope), of_hour});
      if (updated.affected > 0) continue;
      connection.run(sql::bind_names("INSERT INTO {message}`live_stats` (type, minute, count, timestamp) VALUES "
                                     "(?, ?, ?, ?)",
                                     names),
                     {to_text(scope), of_hour, count, now});
    }
  });
}

}  // namespace posthaste::store
