// Where things are: which file or MariaDB instance holds the main database, a mail server's messages and its queue, and
// the connections to it.
//
// Three layouts (data-model.md 1, 20.1, 21.1):
//   SQLite          main.db, and one file per mail server with its messages and its queue
//   one instance    all databases on one MariaDB server: one transaction covers messages and queue of many mail servers
//   two instances   messages on one, main database with the queue on another: messages are committed first
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "config/config.h"
#include "sql/sql.h"
#include "store/connections.h"
#include "store/records.h"

namespace posthaste::store {

// One SQLite file or one MariaDB instance.
struct Place {
  std::shared_ptr<ConnectionPool> read;
  std::shared_ptr<ConnectionPool> write;  // for those who wait for their transaction
  std::shared_ptr<ConnectionPool>
      commit;  // one connection, for the group-committing writer; on SQLite the same as write
};

class Databases {
 public:
  virtual ~Databases() = default;

  virtual sql::Dialect dialect() const = 0;
  bool sqlite() const { return dialect() == sql::Dialect::Sqlite; }
  // Whether messages and queue rows are committed in one transaction.
  virtual bool together() const = 0;

  virtual sql::Names names(Id server_id) const = 0;  // 0: the main database only

  virtual Place main() = 0;
  virtual Place messages(Id server_id) = 0;
  // With server_id 0 on MariaDB: the queue of all mail servers.
  virtual Place queue(Id server_id) = 0;

  // Mail servers that share a writer have the same number.
  virtual Id lane(Id server_id) const = 0;

  // SQLite: moves the write-ahead logs into the files. `idle`: nothing was written lately, cut the logs.
  virtual void checkpoint(bool idle) = 0;
  // SQLite: closes a mail server's file once nobody uses it any more, before it is removed.
  virtual void forget(Id server_id) = 0;
};

struct DatabaseOptions {
  bool read_only = false;
  std::size_t readers = 8;
};

// They connect: errors as in Store::open, but for missing migrations.
Result<std::unique_ptr<Databases>> open_sqlite_databases(const config::Config& config, const DatabaseOptions& options);
Result<std::unique_ptr<Databases>> open_mariadb_databases(const config::Config& config, const DatabaseOptions& options);

}  // namespace posthaste::store
