// The rows of accepted submissions (smtp-server.md 12.5, data-model.md 21.1): raw bytes, messages, queue.
#pragma once

#include <string>
#include <vector>

#include "store/counters.h"
#include "store/messages.h"
#include "store/rows.h"

namespace posthaste::store {

// One submission as it is written, with the ids that it gets; writing it again starts over.
struct AcceptWork {
  const Submission* submission = nullptr;
  bool claim = false;
  bool share_raw = true;  // one copy of the bytes for all its messages
  std::string raw_table;  // `raw-2026-01-31`
  std::vector<Id> message_ids, queue_ids;
};

std::string raw_table_of(Time when);
std::string recipient_domain(std::string_view address);  // behind the last @, as typed

// Raw rows, sizes and messages, of one mail server.
void write_messages(sql::Connection& connection, const sql::Names& names, std::span<AcceptWork* const> works);
// Queue rows, of any number of mail servers that share a queue table. `lease` is put on the rows of claimed
// submissions.
void write_queue(sql::Connection& connection, const sql::Names& names, std::span<AcceptWork* const> works,
                 const std::string& lease, Time now);
void count(std::span<AcceptWork* const> works, Counts& counts, Totals& totals);

}  // namespace posthaste::store
