#include "store/leases.h"

#include <unistd.h>

#include <system_error>

#include "base/log.h"
#include "base/random.h"
#include "base/strings.h"

namespace posthaste::store {

namespace {

constexpr std::string_view kPrefix = "posthaste ";
constexpr auto kSilence = std::chrono::seconds(60);
constexpr int kProcesses = 64;  // on one data directory
constexpr std::size_t kUuid = 36;

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

}  // namespace

std::string node_of_lease(std::string_view lease) { return std::string(lease.substr(0, lease.rfind(' '))); }

Time database_now(sql::Connection& connection) {
  Time now = system_now();
  if (connection.dialect() == sql::Dialect::MariaDb)
    connection.query("SELECT UTC_TIMESTAMP(6)", {}, [&](const sql::Row& row) { now = row.date_time(0).value_or(now); });
  return now;
}

const std::string& NodeLease::text() {
  if (taken_) return text_;
  const std::scoped_lock lock(mutex_);
  if (taken_) return text_;
  if (id_.empty()) take_id_file();
  in_transaction(*databases_.main().write, [&](sql::Connection& connection) { enter(connection); });
  text_ = fmt::format("{}{} {}", kPrefix, id_, start_no_);
  taken_ = true;
  return text_;
}

void NodeLease::take_id_file() {
  const std::string path = config_.posthaste.data_path + "/node-id";
  try {
    for (int n = 1; n <= kProcesses && !id_file_; ++n)
      id_file_ = FileLock::take(n == 1 ? path : fmt::format("{}.{}", path, n));
    if (id_file_) id_ = id_file_->read();
    if (id_.size() != kUuid) choose_id();
  } catch (const std::system_error& error) {
    // Not fatal: rows of an earlier start under another id are free after a minute.
    log::warn("store", "the node's id cannot be kept; set posthaste.data_path to a folder that can be written",
              {{"path", path}, {"error", error.what()}});
    id_file_.reset();
    choose_id();
  }
}

void NodeLease::choose_id() {
  id_ = random_uuid();
  if (id_file_) id_file_->write(id_);
}

void NodeLease::enter(sql::Connection& connection) {
  const sql::Names names = databases_.names(0);
  const Time now = database_now(connection);
  const std::string host = host_name();
  std::optional<std::int64_t> last_start;
  connection.query(sql::bind_names(std::string("SELECT start_no, hostname, seen_at FROM {main}`posthaste_nodes` WHERE "
                                               "id = ?") +
                                       (databases_.sqlite() ? "" : " FOR UPDATE"),
                                   names),
                   {std::string_view(id_)}, [&](const sql::Row& row) {
                     const bool alive = row.date_time(2).value_or(Time{}) > now - kSilence;
                     if (alive && row.text(1) != host) {
                       // A copied data directory: the id belongs to a machine that runs.
                       choose_id();
                       return;
                     }
                     last_start = row.integer(0);
                   });
  start_no_ = last_start.value_or(0) + 1;
  const sql::DateTime at{now};
  if (last_start) {
    connection.run(sql::bind_names("UPDATE {main}`posthaste_nodes` SET hostname = ?, start_no = ?, started_at = ?, "
                                   "seen_at = ? WHERE id = ?",
                                   names),
                   {std::string_view(host), start_no_, at, at, std::string_view(id_)});
    return;
  }
  connection.run(sql::bind_names("INSERT INTO {main}`posthaste_nodes` (id, hostname, start_no, started_at, seen_at) "
                                 "VALUES (?, ?, ?, ?, ?)",
                                 names),
                 {std::string_view(id_), std::string_view(host), start_no_, at, at});
}

bool NodeLease::heartbeat() {
  text();
  bool ours = false;
  in_transaction(*databases_.main().write, [&](sql::Connection& connection) {
    const sql::DateTime now{database_now(connection)};
    ours = connection
               .run(sql::bind_names("UPDATE {main}`posthaste_nodes` SET seen_at = ? WHERE id = ? AND start_no = ?",
                                    databases_.names(0)),
                    {now, std::string_view(id_), start_no_})
               .affected > 0;
  });
  return ours;
}

void NodeLease::sign_off() {
  if (!taken_) return;
  in_transaction(*databases_.main().write, [&](sql::Connection& connection) {
    connection.run(sql::bind_names("UPDATE {main}`posthaste_nodes` SET seen_at = NULL WHERE id = ? AND start_no = ?",
                                   databases_.names(0)),
                   {std::string_view(id_), start_no_});
  });
}

KnownNodes known_nodes(sql::Connection& connection, const sql::Names& names) {
  const Time now = database_now(connection);
  KnownNodes nodes;
  connection.query(sql::bind_names("SELECT id, start_no, seen_at FROM {main}`posthaste_nodes`", names), {},
                   [&](const sql::Row& row) {
                     nodes[row.string(0)] = {row.integer(1), row.date_time(2).value_or(Time{}) > now - kSilence};
                   });
  return nodes;
}

std::vector<OtherLease> other_leases(sql::Connection& connection, const std::string& table, const KnownNodes& nodes,
                                     const std::string& own) {
  std::vector<OtherLease> leases;
  connection.query(
      fmt::format(
          "SELECT DISTINCT locked_by FROM {} WHERE locked_at IS NOT NULL AND locked_by IS NOT NULL AND locked_by "
          "<> ?",
          table),
      {std::string_view(own)}, [&](const sql::Row& row) {
        const std::string text = row.string(0);
        const auto parts = split(text, ' ');
        const bool foreign = parts.size() != 3 || !text.starts_with(kPrefix);
        const auto node = foreign ? nodes.end() : nodes.find(std::string(parts[1]));
        const bool alive =
            node != nodes.end() && node->second.alive && parse_int(parts[2]).value_or(0) >= node->second.start_no;
        leases.push_back({text, foreign, !foreign && !alive});
      });
  return leases;
}

}  // namespace posthaste::store
