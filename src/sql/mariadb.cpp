// The MariaDB driver: one connection to the first host of the list that takes it.
#include <mysql.h>
#include <mysqld_error.h>

#include "base/strings.h"
#include "sql/mariadb_session.h"
#include "sql/mariadb_statement.h"
#include "sql/statement_cache.h"

namespace posthaste::sql {

namespace {

unsigned whole_seconds(Duration duration) {
  return unsigned(std::chrono::ceil<std::chrono::seconds>(std::max(duration, Duration(0))).count());
}

class MariaDbConnection final : public Connection {
 public:
  MariaDbConnection(const MariaDbOptions& options, const std::string& host) {
    session_.handle = mysql_init(nullptr);
    if (!session_.handle) throw std::bad_alloc();
    try {
      connect(options, host);
      configure();
    } catch (...) {
      statements_.clear();
      mysql_close(session_.handle);
      throw;
    }
  }

  ~MariaDbConnection() override {
    statements_.clear();
    mysql_close(session_.handle);
  }

  bool read_only() const { return read_only_; }

  Dialect dialect() const override { return Dialect::MariaDb; }

  Statement& prepare(std::string_view sql) override {
    if (auto* known = statements_.find(sql)) return *known;
    try {
      return statements_.add(sql, std::make_unique<MariaDbStatement>(session_, sql));
    } catch (const Failure& failure) {
      if (failure.code() != ER_MAX_PREPARED_STMT_COUNT_REACHED) throw;
    }
    // The server's limit is shared by all its clients: give back ours and try once more.
    statements_.drop_all_idle();
    return statements_.add(sql, std::make_unique<MariaDbStatement>(session_, sql));
  }

  void script(std::string_view sql) override {
    set_several_statements(true);
    try {
      send(sql);
    } catch (...) {
      if (!session_.lost) set_several_statements(false);
      throw;
    }
    set_several_statements(false);
  }

  void begin() override { send("START TRANSACTION"); }

  void commit() override {
    try {
      send("COMMIT");
    } catch (const Failure&) {
      rollback();
      throw;
    }
  }

  void rollback() noexcept override {
    if (session_.lost) return;
    // If this fails the connection is in an unknown state, and nothing may run on it again.
    if (mysql_real_query(session_.handle, "ROLLBACK", 8) != 0) session_.lost = true;
  }

  Result last_result() const override { return session_.last_result; }
  bool alive() const override { return !session_.lost; }

 private:
  void connect(const MariaDbOptions& options, const std::string& host) {
    const unsigned connect_timeout = whole_seconds(options.connect_timeout);
    const unsigned io_timeout = whole_seconds(options.io_timeout);
    const unsigned no_local_files = 0;
    MYSQL* handle = session_.handle;
    mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &connect_timeout);
    mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &io_timeout);
    mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &io_timeout);
    mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &no_local_files);
    mysql_options(handle, MYSQL_SET_CHARSET_NAME, options.encoding.c_str());

    const bool socket = host.starts_with('/');
    const char* database = options.database.empty() ? nullptr : options.database.c_str();
    // Found rows: an UPDATE that sets what is there already counts, as it does on SQLite.
    if (!mysql_real_connect(handle, socket ? nullptr : host.c_str(), options.username.c_str(), options.password.c_str(),
                            database, options.port, socket ? host.c_str() : nullptr, CLIENT_FOUND_ROWS))
      throw_mariadb(session_, mysql_errno(handle), mysql_error(handle),
                    fmt::format("connecting to {} port {} as {}", host, options.port, options.username));
  }

  void configure() {
    send(
        "SET SESSION time_zone = '+00:00', sql_mode = "
        "'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', "
        "innodb_lock_wait_timeout = 5, wait_timeout = 28800, autocommit = 1");
    send("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    query("SELECT @@max_allowed_packet, @@read_only", {}, [&](const Row& row) {
      session_.max_packet = std::uint64_t(row.integer(0));
      read_only_ = row.integer(1) != 0;
    });
  }

  // Runs text and passes over what it answers.
  void send(std::string_view sql) {
    MYSQL* handle = session_.handle;
    if (mysql_real_query(handle, sql.data(), sql.size()) != 0) fail(sql);
    int more = 0;
    do {
      if (MYSQL_RES* rows = mysql_store_result(handle))
        mysql_free_result(rows);
      else if (mysql_errno(handle) != 0)
        fail(sql);
    } while ((more = mysql_next_result(handle)) == 0);
    if (more > 0) fail(sql);
  }

  void set_several_statements(bool on) {
    const auto option = on ? MYSQL_OPTION_MULTI_STATEMENTS_ON : MYSQL_OPTION_MULTI_STATEMENTS_OFF;
    if (mysql_set_server_option(session_.handle, option) != 0) fail("mysql_set_server_option");
  }

  [[noreturn]] void fail(std::string_view doing) {
    throw_mariadb(session_, mysql_errno(session_.handle), mysql_error(session_.handle), doing);
  }

  MariaDbSession session_;
  bool read_only_ = false;
  StatementCache<MariaDbStatement> statements_;
};

}  // namespace

std::unique_ptr<Connection> open_mariadb(const MariaDbOptions& options) {
  static std::once_flag library;
  std::call_once(library, [] { mysql_library_init(0, nullptr, nullptr); });

  // A replica that only reads comes last: the primary may be further down the list after a failover.
  std::unique_ptr<Connection> replica;
  std::optional<Failure> failure;
  for (const auto part : split(options.host, ',')) {
    const std::string host(trim(part));
    if (host.empty()) continue;
    try {
      auto connection = std::make_unique<MariaDbConnection>(options, host);
      if (!connection->read_only()) return connection;
      if (!replica) replica = std::move(connection);
    } catch (const Failure& f) {
      if (f.kind() != FailureKind::Unreachable) throw;
      if (!failure) failure = f;
    }
  }
  if (replica) return replica;
  if (failure) throw *failure;
  throw Failure(FailureKind::Unreachable, "no database host is configured");
}

}  // namespace posthaste::sql
