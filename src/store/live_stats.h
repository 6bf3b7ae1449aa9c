// How many messages a mail server sent and received in the last hour: `live_stats`, a ring of sixty minutes
// (data-model.md 12), read now and then and kept up to date with what this process has counted since.
#pragma once

#include <map>
#include <mutex>

#include "base/time.h"
#include "sql/sql.h"
#include "store/databases.h"
#include "store/messages.h"

namespace posthaste::store {

class LiveStats {
 public:
  explicit LiveStats(Databases& databases) : databases_(databases) {}

  // Any thread, never block.
  void count_sent(Id server_id, Time now);
  void count_received(Id server_id, Time now);
  std::int64_t sent_last_hour(Id server_id, Time now);  // reads the table at most every two seconds
  void flush();                                         // blocks

 private:
  struct Total {
    std::int64_t stored = 0;  // as read, with what we have flushed since
    Time read_at;
  };
  using Minutes = std::map<std::pair<Scope, Time>, std::int64_t>;  // by the beginning of the minute

  std::int64_t read(Id server_id, Time now);
  void write(Id server_id, const Minutes& minutes);

  Databases& databases_;
  std::mutex mutex_;
  std::map<Id, Minutes> pending_, flushing_;
  std::map<Id, Total> totals_;
};

}  // namespace posthaste::store
