// Queue rows whose source address was deleted would wait for ever: nobody has it. They go by whatever the system
// chooses (outbound-delivery.md 4.3). Postal's own pages delete addresses without a look at the queue.
#include "base/log.h"
#include "store/rows.h"
#include "store/store_impl.h"

namespace posthaste::store {

namespace {

constexpr std::size_t kAtOnce = 500;

}  // namespace

void StoreImpl::free_lost_sources() {
  if (!sources_gone_.exchange(false)) return;
  try {
    for (const Id place : queue_places({})) {
      const std::size_t freed = free_lost_sources(place);
      if (freed > 0)
        log::info("store", "messages waited for a source address that was removed; they go by any",
                  {{"messages", freed}});
      if (freed > 0 && databases_->sqlite()) due_.note(place, Time{});
    }
  } catch (...) {
    sources_gone_ = true;
    throw;
  }
}

std::size_t StoreImpl::free_lost_sources(Id place) {
  const sql::Names names = databases_->names(place);
  // On SQLite the addresses are in another file; there is no other process whose new ones could be missing here.
  std::string known = "(SELECT id FROM {main}`ip_addresses`)";
  if (databases_->sqlite()) {
    std::vector<Id> ids;
    for (const IpAddressRow* row : snapshot()->ip_addresses()) ids.push_back(row->id);
    known = fmt::format("({})", fmt::join(ids, ","));
  }
  const std::string lost = "locked_at IS NULL AND ip_address_id IS NOT NULL AND ip_address_id NOT IN " + known;
  std::size_t freed = 0;
  for (bool more = true; more;) {
    std::vector<Id> ids;
    in_transaction(*databases_->queue(place).write, [&](sql::Connection& connection) {
      ids.clear();
      connection.query(sql::bind_names("SELECT id FROM {queue}`queued_messages` WHERE " + lost + " LIMIT ?", names),
                       {std::int64_t(kAtOnce)}, [&](const sql::Row& row) { ids.push_back(row.integer(0)); });
      for_id_lists(ids, {}, [&](const std::string& list, std::span<const sql::Value> values) {
        connection.run(sql::bind_names("UPDATE {queue}`queued_messages` SET ip_address_id = NULL WHERE locked_at IS "
                                       "NULL AND id IN ",
                                       names) +
                           list,
                       values);
      });
    });
    freed += ids.size();
    more = ids.size() == kAtOnce;
  }
  return freed;
}

}  // namespace posthaste::store
