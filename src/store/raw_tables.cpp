#include "store/raw_tables.h"

#include "store/schema.h"

namespace posthaste::store {

void RawTables::ensure(sql::Connection& connection, const sql::Names& names, Id server_id, const std::string& table) {
  {
    const std::scoped_lock lock(mutex_);
    if (known_.contains({server_id, table})) return;
  }
  create_raw_table(connection, names, table);
  const std::scoped_lock lock(mutex_);
  if (known_.size() > 100'000) known_.clear();  // days pass
  known_.emplace(server_id, table);
}

void RawTables::forget(Id server_id) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(known_, [&](const auto& entry) { return entry.first == server_id; });
}

}  // namespace posthaste::store
