#include <unistd.h>

#include <filesystem>
#include <system_error>

#include "sql/wal_size.h"
#include "store/data_lock.h"
#include "store/databases.h"
#include "store/schema.h"

namespace posthaste::store {

namespace {

// Files beyond these are closed, the longest unused first; all that nobody has asked for within the time, too: their
// caches are memory.
constexpr std::size_t kOpenFiles = 256;
constexpr auto kUnused = std::chrono::minutes(2);
constexpr std::int64_t kCheckpointBytes = 32 << 20;

class SqliteDatabases final : public Databases {
 public:
  SqliteDatabases(const config::Config& config, const DatabaseOptions& options, std::optional<FileLock> lock)
      : config_(config), options_(options), lock_(std::move(lock)), main_(open(main_file(config))) {}

  sql::Dialect dialect() const override { return sql::Dialect::Sqlite; }
  bool together() const override { return true; }
  sql::Names names(Id) const override { return {}; }
  Place main() override { return main_.place; }
  Place queue(Id server_id) override { return messages(server_id); }
  Id lane(Id server_id) const override { return server_id; }

  Place messages(Id server_id) override {
    const std::scoped_lock lock(mutex_);
    auto found = files_.find(server_id);
    if (found == files_.end()) {
      if (files_.size() >= kOpenFiles) close_longest_unused();
      found = files_.emplace(server_id, open(server_file(config_, server_id))).first;
    }
    found->second.used = std::chrono::steady_clock::now();
    return found->second.place;
  }

  void checkpoint(bool idle) override {
    std::vector<File> files{main_};
    std::vector<Place> unused;  // closed without the lock: SQLite moves the log into the file then
    {
      const std::scoped_lock lock(mutex_);
      const auto before = std::chrono::steady_clock::now() - kUnused;
      for (auto at = files_.begin(); at != files_.end();) {
        const bool close = at->second.used < before;
        if (close)
          unused.push_back(at->second.place);
        else
          files.push_back(at->second);
        at = close ? files_.erase(at) : std::next(at);
      }
    }
    for (const File& file : files) checkpoint(file, idle);
  }

  void forget(Id server_id) override {
    const std::scoped_lock lock(mutex_);
    files_.erase(server_id);
  }

 private:
  struct File {
    std::string path;
    Place place;
    sql::WalSize wal_bytes = std::make_shared<std::atomic<std::int64_t>>(0);
    std::chrono::steady_clock::time_point used{};
  };

  File open(const std::string& path) const {
    File file{.path = path, .place = {}};
    const auto reader = [path] {
      require(path);
      return sql::open_sqlite({.path = path, .read_only = true});
    };
    const auto writer = [path, read_only = options_.read_only, wal_bytes = file.wal_bytes] {
      if (read_only) throw sql::Failure(sql::FailureKind::Denied, "opened for reading only: " + path);
      require(path);
      auto connection = sql::open_sqlite({.path = path, .cache_kib = 32768, .manual_checkpoints = true});
      sql::report_wal_size(*connection, wal_bytes);
      return connection;
    };
    file.place.read = std::make_shared<ConnectionPool>(options_.readers, reader);
    file.place.write = std::make_shared<ConnectionPool>(1, writer);
    file.place.commit = file.place.write;
    return file;
  }

  // A mail server without a file is that mail server's trouble, not the whole store's.
  static void require(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::exists(path, error))
      throw sql::Failure(sql::FailureKind::MissingTable, "there is no file " + path);
  }

  // Whoever still works with the file keeps its pools alive.
  void close_longest_unused() {
    const auto oldest = std::ranges::min_element(files_, {}, [](const auto& entry) { return entry.second.used; });
    files_.erase(oldest);
  }

  static void checkpoint(const File& file, bool idle) {
    if (!idle && *file.wal_bytes < kCheckpointBytes) return;
    std::error_code missing;
    const auto bytes = std::filesystem::file_size(file.path + "-wal", missing);
    if (missing || bytes == 0) return;
    // Most pages over a connection of its own, while the writer goes on. What it wrote meanwhile then with the writer
    // held: only a log whose pages are all in the file begins anew.
    sql::open_sqlite({.path = file.path, .manual_checkpoints = true})->script("PRAGMA wal_checkpoint(PASSIVE)");
    const auto writer = file.place.write->borrow();
    writer->script(idle ? "PRAGMA wal_checkpoint(TRUNCATE)" : "PRAGMA wal_checkpoint(PASSIVE)");
    *file.wal_bytes = 0;
  }

  const config::Config& config_;
  const DatabaseOptions options_;
  const std::optional<FileLock> lock_;
  const File main_;
  std::mutex mutex_;
  std::map<Id, File> files_;
};

}  // namespace

Result<std::unique_ptr<Databases>> open_sqlite_databases(const config::Config& config, const DatabaseOptions& options) {
  const std::string& folder = config.posthaste.data_path;
  std::error_code error;
  if (!std::filesystem::exists(main_file(config), error))
    return fail(ErrorKind::Invalid,
                fmt::format("There is no database in {} yet. Run 'posthaste initialize' first.", folder));

  std::optional<FileLock> lock;
  if (!options.read_only) {
    std::string holder;
    try {
      lock = FileLock::take(folder + "/lock", &holder);
    } catch (const std::system_error& failure) {
      return fail(ErrorKind::Unavailable,
                  fmt::format("The data directory {} cannot be written. Check its owner and permissions.", folder),
                  failure.what());
    }
    if (!lock)
      return fail(ErrorKind::Conflict,
                  fmt::format("The data directory {} is in use by another Posthaste process (pid {}). With SQLite one "
                              "process runs at a time; stop it first, or use MariaDB for several.",
                              folder, holder.empty() ? "unknown" : holder));
    lock->write(std::to_string(::getpid()));
  }
  auto databases = std::make_unique<SqliteDatabases>(config, options, std::move(lock));
  try {
    with_connection(*databases->main().read,
                    [](sql::Connection& c) { c.scalar("SELECT COUNT(*) FROM sqlite_master"); });
  } catch (const sql::Failure& failure) {
    return fail(ErrorKind::Unavailable, fmt::format("The database {} cannot be read.", main_file(config)),
                failure.what());
  }
  return databases;
}

}  // namespace posthaste::store
