// Statistics counters folded in memory: how many messages of what kind per mail server, hour, day, month and year
// (data-model.md 12, 21.5).
#pragma once

#include <array>
#include <map>
#include <mutex>

#include "base/time.h"
#include "sql/sql.h"
#include "store/messages.h"

namespace posthaste::store {

enum class Counter { Incoming, Outgoing, Spam, Bounces, Held };

// Amounts to be added to the stats tables.
class Counts {
 public:
  void add(Id server_id, Counter counter, Time when, std::int64_t amount = 1);
  void merge(const Counts& other);
  bool empty() const { return hours_.empty(); }
  // In the order of servers and times: two processes that do so at once wait for each other, but never in a circle.
  void write(sql::Connection& connection, const std::function<sql::Names(Id)>& names) const;

 private:
  using Amounts = std::array<std::int64_t, 5>;
  std::map<std::pair<Id, std::int64_t>, Amounts> hours_;  // by mail server and beginning of the hour
};

// Beginning of the UTC hour, day, month and year of a time, in Unix seconds.
struct Periods {
  std::int64_t hour, day, month, year;
};
Periods periods_of(std::int64_t unix_seconds);

// The one row of `statistics`.
struct Totals {
  std::int64_t messages = 0, outgoing = 0, incoming = 0;
  bool empty() const { return messages == 0; }
  void add(Scope scope);
  void merge(const Totals& other);
  void write(sql::Connection& connection, const sql::Names& names) const;
};

// What has been counted and not been written yet. Any thread.
class Tally {
 public:
  void add(const Counts& counts, const Totals& totals);
  Counts take_counts();
  Totals take_totals();

 private:
  std::mutex mutex_;
  Counts counts_;
  Totals totals_;
};

}  // namespace posthaste::store
