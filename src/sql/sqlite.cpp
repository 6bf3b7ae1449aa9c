// The SQLite driver: one file, one connection.
#include <sqlite3.h>

#include "sql/sql.h"
#include "sql/sqlite_statement.h"
#include "sql/statement_cache.h"
#include "sql/wal_size.h"

namespace posthaste::sql {

namespace {

class SqliteConnection final : public Connection {
 public:
  explicit SqliteConnection(const SqliteOptions& options) {
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    flags |= options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    if (options.create) flags |= SQLITE_OPEN_CREATE;
    const int code = sqlite3_open_v2(options.path.c_str(), &db_, flags, nullptr);
    try {
      if (code != SQLITE_OK) throw_sqlite(db_, code, options.path);
      configure(options);
    } catch (...) {
      close();
      throw;
    }
  }
  ~SqliteConnection() override { close(); }

  Dialect dialect() const override { return Dialect::Sqlite; }

  Statement& prepare(std::string_view sql) override {
    if (auto* known = statements_.find(sql)) return *known;
    return statements_.add(sql, std::make_unique<SqliteStatement>(db_, sql, last_result_));
  }

  void script(std::string_view sql) override {
    const int code = sqlite3_exec(db_, std::string(sql).c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) throw_sqlite(db_, code, sql);
  }

  void begin() override { run("BEGIN IMMEDIATE"); }

  void commit() override {
    try {
      run("COMMIT");
    } catch (const Failure&) {
      // A COMMIT that fails may leave the transaction open; nobody else would end it.
      rollback();
      throw;
    }
  }

  void rollback() noexcept override {
    // Some failures have rolled back already. What this one could report was reported by the statement before.
    if (!sqlite3_get_autocommit(db_)) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  }

  Result last_result() const override { return last_result_; }
  bool alive() const override { return true; }

  void report_wal_size(WalSize bytes) {
    wal_size_ = std::move(bytes);
    page_size_ = scalar("PRAGMA page_size").value_or(0);
    const auto committed = [](void* self, sqlite3*, const char*, int pages) {
      const auto& connection = *static_cast<SqliteConnection*>(self);
      *connection.wal_size_ = pages * connection.page_size_;
      return SQLITE_OK;
    };
    sqlite3_wal_hook(db_, committed, this);
  }

 private:
  void configure(const SqliteOptions& options) {
    sqlite3_busy_timeout(db_, 10000);
    // Both hold only before the first table; later they change nothing.
    if (options.create) script("PRAGMA page_size = 16384; PRAGMA auto_vacuum = INCREMENTAL");
    if (!options.read_only) script("PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 67108864");
    // Debian builds SQLite with secure_delete on: dropping a day's raw messages would write them all once more.
    script(
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = OFF; PRAGMA temp_store = MEMORY; "
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
    script(fmt::format("PRAGMA cache_size = -{}", options.cache_kib));
    if (options.read_only) script("PRAGMA mmap_size = 268435456");
    if (options.manual_checkpoints) script("PRAGMA wal_autocheckpoint = 0");
  }

  void close() noexcept {
    statements_.clear();
    sqlite3_close_v2(db_);
    db_ = nullptr;
  }

  sqlite3* db_ = nullptr;
  Result last_result_;
  WalSize wal_size_;
  std::int64_t page_size_ = 0;
  StatementCache<SqliteStatement> statements_;
};

}  // namespace

std::unique_ptr<Connection> open_sqlite(const SqliteOptions& options) {
  return std::make_unique<SqliteConnection>(options);
}

void report_wal_size(Connection& sqlite_connection, WalSize bytes) {
  dynamic_cast<SqliteConnection&>(sqlite_connection).report_wal_size(std::move(bytes));
}

}  // namespace posthaste::sql
