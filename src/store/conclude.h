// What an attempt leaves in the tables (outbound-delivery.md section 6, data-model.md 21.4): delivery, message, signed
// headers, suppression, queue row.
#pragma once

#include <optional>
#include <span>

#include "store/counters.h"
#include "store/messages.h"

namespace posthaste::store {

struct ConcludeWork {
  const Conclusion* conclusion = nullptr;
  bool maybe_recorded = false;  // an earlier try, or an earlier run, may have committed it
  // Filled while it is written; writing it again starts over.
  bool recorded_before = false;
};

// The same outcome with only what must be recorded: statuses, times, the queue row. For one that a database refuses.
Conclusion bare(const Conclusion& conclusion);

struct ConcludeRules {
  // Raw rows are not shared and a Postal beside us rewrites them in place, too: so do we. Otherwise new headers go into
  // a row of their own. A row may be shared by all messages of a submission, and nothing counts how many there are;
  // appending a kilobyte costs less than finding out, and the old row goes with its day's table.
  bool rewrite_in_place = false;
  int suppression_days = 30;
};

// Of one mail server: everything but the queue.
void write_outcomes(sql::Connection& connection, const sql::Names& names, const ConcludeRules& rules,
                    std::span<ConcludeWork* const> works, Counts& counts);

// Of any number of mail servers that share a queue table. Only rows under `lease` are touched, but for recovered
// conclusions, whose rows may be under any lease of the same node or under none. Returns how many rows were not there.
std::size_t write_queue_changes(sql::Connection& connection, const sql::Names& names,
                                std::span<ConcludeWork* const> works, const std::string& lease);

}  // namespace posthaste::store
