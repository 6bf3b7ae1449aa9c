#include "store/counters.h"

namespace posthaste::store {

namespace {

constexpr std::array<std::string_view, 4> kTables = {"stats_hourly", "stats_daily", "stats_monthly", "stats_yearly"};

// Updates first: an upsert that only updates would still use up an AUTO_INCREMENT value, and after two thousand million
// the table takes nothing any more.
void raise(sql::Connection& connection, const sql::Names& names, std::string_view table, std::int64_t time,
           const std::array<std::int64_t, 5>& by) {
  const std::string update = sql::bind_names(
      fmt::format("UPDATE {{message}}`{}` SET incoming = incoming + ?, outgoing = outgoing + ?, spam = spam + ?, "
                  "bounces = bounces + ?, held = held + ? WHERE time = ?",
                  table),
      names);
  const auto values = {sql::Value(by[0]), sql::Value(by[1]), sql::Value(by[2]),
                       sql::Value(by[3]), sql::Value(by[4]), sql::Value(time)};
  if (connection.run(update, values).affected > 0) return;
  try {
    connection.run(
        sql::bind_names(fmt::format("INSERT INTO {{message}}`{}` (incoming, outgoing, spam, bounces, held, time) "
                                    "VALUES (?, ?, ?, ?, ?, ?)",
                                    table),
                        names),
        values);
  } catch (const sql::Failure& failure) {
    if (failure.kind() != sql::FailureKind::Duplicate) throw;
    connection.run(update, values);  // another process was first
  }
}

}  // namespace

Periods periods_of(std::int64_t unix_seconds) {
  using namespace std::chrono;
  const sys_seconds time{seconds(unix_seconds)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const auto unix_time = [](auto point) { return std::int64_t(sys_seconds(point).time_since_epoch().count()); };
  return {unix_time(floor<hours>(time)), unix_time(day), unix_time(sys_days(date.year() / date.month() / 1)),
          unix_time(sys_days(date.year() / January / 1))};
}

void Counts::add(Id server_id, Counter counter, Time when, std::int64_t amount) {
  const auto hour = std::chrono::floor<std::chrono::hours>(when).time_since_epoch();
  hours_[{server_id, std::chrono::seconds(hour).count()}][std::size_t(counter)] += amount;
}

void Counts::merge(const Counts& other) {
  for (const auto& [key, amounts] : other.hours_) {
    Amounts& into = hours_[key];
    for (std::size_t i = 0; i < amounts.size(); ++i) into[i] += amounts[i];
  }
}

void Counts::write(sql::Connection& connection, const std::function<sql::Names(Id)>& names) const {
  for (const auto& [key, amounts] : hours_) {
    const auto& [server_id, hour] = key;
    const sql::Names of_server = names(server_id);
    const Periods periods = periods_of(hour);
    const std::array<std::int64_t, 4> times = {periods.hour, periods.day, periods.month, periods.year};
    for (std::size_t i = 0; i < kTables.size(); ++i) raise(connection, of_server, kTables[i], times[i], amounts);
  }
}

void Totals::add(Scope scope) {
  ++messages;
  ++(scope == Scope::Outgoing ? outgoing : incoming);
}

void Totals::merge(const Totals& other) {
  messages += other.messages;
  outgoing += other.outgoing;
  incoming += other.incoming;
}

void Totals::write(sql::Connection& connection, const sql::Names& names) const {
  const auto row = connection.scalar(sql::bind_names("SELECT MIN(id) FROM {main}`statistics`", names));
  if (!row) {
    connection.run(sql::bind_names("INSERT INTO {main}`statistics` (total_messages, total_outgoing, total_incoming) "
                                   "VALUES (?, ?, ?)",
                                   names),
                   {messages, outgoing, incoming});
    return;
  }
  connection.run(sql::bind_names("UPDATE {main}`statistics` SET total_messages = total_messages + ?, total_outgoing = "
                                 "total_outgoing + ?, total_incoming = total_incoming + ? WHERE id = ?",
                                 names),
                 {messages, outgoing, incoming, *row});
}

void Tally::add(const Counts& counts, const Totals& totals) {
  const std::scoped_lock lock(mutex_);
  counts_.merge(counts);
  totals_.merge(totals);
}

Counts Tally::take_counts() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(counts_, {});
}

Totals Tally::take_totals() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(totals_, {});
}

}  // namespace posthaste::store
