#include "base/log.h"
#include "store/databases.h"
#include "store/schema.h"

namespace posthaste::store {

namespace {

// A migration or a table rebuild may hold a statement up; mail waits rather than fail.
constexpr Duration kAnswerTimeout = 60s;

std::shared_ptr<ConnectionPool> pool(std::size_t limit, sql::MariaDbOptions options) {
  options.io_timeout = kAnswerTimeout;
  return std::make_shared<ConnectionPool>(limit, [options] { return sql::open_mariadb(options); });
}

Place place(const sql::MariaDbOptions& options, std::size_t connections) {
  Place place;
  place.read = pool(connections, options);
  place.write = place.read;
  place.commit = pool(1, options);
  return place;
}

class MariaDbDatabases final : public Databases {
 public:
  MariaDbDatabases(const config::Config& config, Place main, Place messages, bool together)
      : config_(config), main_(std::move(main)), messages_(std::move(messages)), together_(together) {}

  sql::Dialect dialect() const override { return sql::Dialect::MariaDb; }
  bool together() const override { return together_; }
  sql::Names names(Id server_id) const override {
    return server_id == 0 ? main_names(config_) : names_of(config_, server_id);
  }
  Place main() override { return main_; }
  Place messages(Id) override { return messages_; }
  Place queue(Id) override { return main_; }
  Id lane(Id) const override { return 0; }
  void checkpoint(bool) override {}
  void forget(Id) override {}

 private:
  const config::Config& config_;
  const Place main_, messages_;
  const bool together_;
};

std::string identity(sql::Connection& connection) {
  std::string text;
  connection.query("SELECT CONCAT_WS('|', @@hostname, @@port, @@datadir, @@server_id)", {},
                   [&](const sql::Row& row) { text = row.string(0); });
  return text;
}

// The account of the message databases must be able to write the queue, or one transaction cannot cover both.
bool may_write_queue(sql::Connection& connection, const sql::Names& names) {
  try {
    connection.run(sql::bind_names("DELETE FROM {queue}`queued_messages` WHERE 1 = 0", names));
    connection.run(
        sql::bind_names("INSERT INTO {queue}`queued_messages` (server_id, created_at, updated_at) SELECT 1, NULL, NULL "
                        "FROM DUAL WHERE 1 = 0",
                        names));
    connection.run(sql::bind_names("UPDATE {queue}`queued_messages` SET attempts = attempts WHERE 1 = 0", names));
    return true;
  } catch (const sql::Failure& failure) {
    if (failure.kind() == sql::FailureKind::Unreachable) throw;
    log::info("store", "messages and queue are committed one after the other",
              {{"reason", "the message database account cannot write the queue"}, {"error", failure.what()}});
    return false;
  }
}

Result<std::string> connect(const sql::MariaDbOptions& options, std::string_view group) {
  try {
    return identity(*sql::open_mariadb(options));
  } catch (const sql::Failure& failure) {
    if (failure.kind() == sql::FailureKind::Denied)
      return fail(ErrorKind::Unavailable,
                  fmt::format("MariaDB at {}:{} refuses the user '{}'. Check {}.username and {}.password.",
                              options.host, options.port, options.username, group, group),
                  failure.what());
    return fail(ErrorKind::Unavailable,
                fmt::format("MariaDB at {}:{} cannot be reached. Check {}.host and {}.port, and that the server runs.",
                            options.host, options.port, group, group),
                failure.what());
  }
}

}  // namespace

Result<std::unique_ptr<Databases>> open_mariadb_databases(const config::Config& config,
                                                          const DatabaseOptions& options) {
  const auto main = main_options(config), messages = message_options(config);
  const auto main_identity = connect(main, "main_db");
  if (!main_identity) return std::unexpected(main_identity.error());
  const auto message_identity = connect(messages, "message_db");
  if (!message_identity) return std::unexpected(message_identity.error());

  bool together = *main_identity == *message_identity;
  if (together) {
    try {
      together = may_write_queue(*sql::open_mariadb(messages), main_names(config));
    } catch (const sql::Failure& failure) {
      return fail(ErrorKind::Unavailable, "MariaDB was lost while starting.", failure.what());
    }
  }
  Place message_place = place(messages, options.readers);
  Place main_place = together && main.username == messages.username ? message_place : place(main, options.readers);
  if (together) main_place.commit = message_place.commit;
  return std::make_unique<MariaDbDatabases>(config, std::move(main_place), std::move(message_place), together);
}

}  // namespace posthaste::store
