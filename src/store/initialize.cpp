// Makes an installation's databases ready. Safe to repeat, also after a crash in the middle; of two processes that try
// at once one waits for the other.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/log.h"
#include "base/strings.h"
#include "sql/migration.h"
#include "store/schema.h"
#include "store/schema_own.h"
#include "store/schema_postal.h"
#include "store/schema_tables.h"
#include "store/store.h"

namespace posthaste::store {

namespace {

using sql::Connection;
using Report = std::vector<Store::InitializeReport>;

Error error_of(const sql::Failure& failure, const config::Config& config) {
  const auto error = [&](ErrorKind kind, std::string text) { return Error{kind, std::move(text), failure.what()}; };
  switch (failure.kind()) {
    case sql::FailureKind::Unreachable:
      if (config.sqlite())
        return error(ErrorKind::Unavailable,
                     fmt::format("the files in {} cannot be opened: {}", config.posthaste.data_path, failure.what()));
      return error(ErrorKind::Unavailable,
                   fmt::format("the database server cannot be reached; check main_db and message_db (host {}, port {}) "
                               "and that it runs: {}",
                               config.main_db.host, config.main_db.port, failure.what()));
    case sql::FailureKind::Denied:
      return error(
          ErrorKind::Denied,
          fmt::format("the database refuses access; check user name, password and privileges: {}", failure.what()));
    case sql::FailureKind::Full:
      return error(ErrorKind::Limit,
                   "the disk of the database is full or cannot be written; free space and run this again");
    case sql::FailureKind::Conflict:
      return error(ErrorKind::Unavailable, "another process is changing the database; run this again in a moment");
    default:
      return error(ErrorKind::Internal, fmt::format("the database failed: {}", failure.what()));
  }
}

// Every mail server there is: those that are marked as deleted keep their mail until they are removed.
struct ServerRow {
  Id id;
  bool deleted;
};
std::vector<ServerRow> servers(Connection& connection, const sql::Names& names) {
  std::vector<ServerRow> rows;
  connection.query(sql::bind_names("SELECT id, deleted_at FROM {main}`servers` ORDER BY id", names), {},
                   [&](const sql::Row& row) { rows.push_back({row.integer(0), !row.is_null(1)}); });
  return rows;
}

void warn_missing(const std::string& database) {
  log::warn("migrations", "the message database was missing; an empty one is made", {{"database", database}});
}

// --- SQLite

// Held while the files are made and migrated: the data directory itself is locked, so nothing is left behind.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::string& path)
      : descriptor_(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (descriptor_ < 0 || flock(descriptor_, LOCK_EX) != 0)
      throw std::filesystem::filesystem_error("cannot lock", path, std::error_code(errno, std::generic_category()));
  }
  DirectoryLock(const DirectoryLock&) = delete;
  ~DirectoryLock() { close(descriptor_); }

 private:
  int descriptor_;
};

bool on_network_file_system(const std::string& path) {
  constexpr long kNfs = 0x6969, kSmb = 0x517B, kCifs = 0xFF534D42, kSmb2 = 0xFE534D42, kCeph = 0x00C36400,
                 k9p = 0x01021997;
  struct statfs info{};
  if (statfs(path.c_str(), &info) != 0) return false;
  const long type = long(static_cast<unsigned int>(info.f_type));
  return type == kNfs || type == kSmb || type == kCifs || type == kSmb2 || type == kCeph || type == k9p;
}

void make_private_folder(const std::filesystem::path& path) {
  if (std::filesystem::create_directories(path)) std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

Store::InitializeReport migrate_file(const std::string& path, std::span<const sql::Migration> migrations) {
  const auto connection = sql::open_sqlite({.path = path, .create = true});
  const auto report = sql::migrate(*connection, "", migrations);
  return {path, report.from, report.to};
}

Result<Report> initialize_sqlite(const config::Config& config) {
  const std::string data = config.posthaste.data_path;
  make_private_folder(data);
  if (on_network_file_system(data))
    return fail(ErrorKind::Invalid,
                fmt::format("{} is on a network file system, which the embedded database cannot use; set "
                            "posthaste.data_path to a local disk, or use MariaDB",
                            data));
  const auto folder = std::filesystem::path(data) / "servers";
  make_private_folder(folder);
  const DirectoryLock lock(data);

  const sql::Names names;
  Report report = {migrate_file(main_file(config), schema::main_migrations(sql::Dialect::Sqlite, names))};
  std::set<Id> ids;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (const auto id = parse_int(entry.path().stem().string()); id && entry.path().extension() == ".db")
      ids.insert(*id);
  for (const ServerRow& row : servers(*sql::open_sqlite({.path = main_file(config)}), names))
    if (!row.deleted && ids.insert(row.id).second) warn_missing(server_file(config, row.id));
  for (const Id id : ids)
    report.push_back(migrate_file(server_file(config, id), schema::message_migrations(sql::Dialect::Sqlite, names)));
  return report;
}

// --- MariaDB

sql::MariaDbOptions patient(sql::MariaDbOptions options) {
  options.io_timeout = Duration(0);  // an index on a large table takes its time
  return options;
}

Result<> check_server(Connection& connection) {
  std::string version;
  connection.query("SELECT VERSION()", {}, [&](const sql::Row& row) { version = row.string(0); });
  const auto parts = split(version, '.');
  const auto major = parse_int(parts[0]).value_or(0), minor = parts.size() > 1 ? parse_int(parts[1]).value_or(0) : 0;
  const bool mariadb = version.find("MariaDB") != version.npos;
  if (mariadb && (major > 10 || (major == 10 && minor >= 5))) return {};
  return fail(ErrorKind::Invalid,
              fmt::format("the database server is {}, but MariaDB 10.5 or newer is needed", version));
}

// One migration at a time. The lock ends with the connection. Galera has no such locks: there two nodes may work at
// once, which every step allows for.
Result<> take_lock(Connection& connection, const std::string& database) try {
  const std::string name = "posthaste_migrations." + database.substr(0, 40);
  if (connection.scalar("SELECT GET_LOCK(?, 300)", {name}) == 1) return {};
  return fail(ErrorKind::Unavailable,
              "another process has been migrating the databases for five minutes; wait until it is done");
} catch (const sql::Failure& failure) {
  constexpr int kNotSupported = 1235;
  if (failure.code() != kNotSupported) throw;
  log::info("migrations", "the database is a cluster without named locks; migrating without");
  return {};
}

Result<> make_main_database(Connection& connection, const config::Config& config) try {
  const std::string& database = config.main_db.database;
  if (schema::database_exists(connection, database)) return {};
  connection.script(fmt::format("CREATE DATABASE IF NOT EXISTS `{}` CHARACTER SET utf8mb4 COLLATE {}",
                                replace_all(database, "`", "``"), schema::kMainCollation));
  return {};
} catch (const sql::Failure& failure) {
  if (failure.kind() != sql::FailureKind::Denied) throw;
  const auto& db = config.main_db;
  return fail(
      ErrorKind::Denied,
      fmt::format("there is no database `{0}` that the account {1} can see, and it may not create one; run as an "
                  "administrator: CREATE DATABASE IF NOT EXISTS `{0}` CHARACTER SET utf8mb4 COLLATE {2}; GRANT ALL "
                  "PRIVILEGES ON `{0}`.* TO '{1}'@'%'; GRANT ALL PRIVILEGES ON `{3}-server-%`.* TO '{4}'@'%';",
                  db.database, db.username, schema::kMainCollation, config.message_db_prefix,
                  config.message_db.username),
      failure.what());
}

Result<Store::InitializeReport> initialize_message(Connection& connection, const config::Config& config, Id id) {
  const sql::Names names = names_of(config, id);
  const std::string database = message_database(config, id);
  if (!schema::database_exists(connection, database)) {
    warn_missing(database);
    if (auto made = provision_database(connection, names, id); !made) return std::unexpected(made.error());
    return Store::InitializeReport{database, 0, schema::kOwnMessageVersion};
  }
  schema::complete_message(connection, names.message);
  const auto migrated =
      sql::migrate(connection, names.message, schema::message_migrations(connection.dialect(), names));
  return Store::InitializeReport{database, migrated.from, migrated.to};
}

Result<Report> initialize_mariadb(const config::Config& config) {
  const auto main = sql::open_mariadb(patient(main_options(config)));
  if (auto fits = check_server(*main); !fits) return std::unexpected(fits.error());
  if (auto locked = take_lock(*main, config.main_db.database); !locked) return std::unexpected(locked.error());
  if (auto made = make_main_database(*main, config); !made) return std::unexpected(made.error());

  const sql::Names names = main_names(config);
  const std::string environment = config.rails.environment.empty() ? "production" : config.rails.environment;
  if (auto complete = schema::complete_main(*main, names.main, environment); !complete)
    return std::unexpected(complete.error());
  const auto migrated = sql::migrate(*main, names.main, schema::main_migrations(sql::Dialect::MariaDb, names));

  Report report = {{config.main_db.database, migrated.from, migrated.to}};
  const auto message = sql::open_mariadb(patient(message_options(config)));
  if (const auto advice = packet_size_advice(*message, config); !advice.empty()) log::warn("migrations", advice);
  for (const ServerRow& row : servers(*main, names)) {
    if (row.deleted && !schema::database_exists(*message, message_database(config, row.id))) continue;
    auto line = initialize_message(*message, config, row.id);
    if (!line) return std::unexpected(line.error());
    report.push_back(std::move(*line));
  }
  return report;
}

}  // namespace

Result<std::vector<Store::InitializeReport>> Store::initialize(const config::Config& config) try {
  return config.sqlite() ? initialize_sqlite(config) : initialize_mariadb(config);
} catch (const sql::Failure& failure) {
  return std::unexpected(error_of(failure, config));
} catch (const std::filesystem::filesystem_error& error) {
  return fail(ErrorKind::Denied,
              fmt::format("{} cannot be used: {}; check posthaste.data_path, its owner and permissions",
                          config.posthaste.data_path, error.code().message()),
              error.what());
}

}  // namespace posthaste::store
