// The daily tables of raw messages, made on demand with their row in raw_message_sizes (data-model.md section 10).
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "sql/sql.h"
#include "store/records.h"

namespace posthaste::store {

class RawTables {
 public:
  // Makes the table unless this process knows that it exists. Outside a transaction: MariaDB commits DDL at once.
  void ensure(sql::Connection& connection, const sql::Names& names, Id server_id, const std::string& table);
  // Somebody dropped tables of this mail server.
  void forget(Id server_id);

 private:
  std::mutex mutex_;
  std::set<std::pair<Id, std::string>> known_;
};

}  // namespace posthaste::store
