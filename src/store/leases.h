// This process's lease on queue rows: `posthaste <node id> <start number>` in locked_by (data-model.md 22.2).
//
// The node id is kept in a file of the data directory, locked while the process lives; further processes on the same
// directory have a file each. The start number is counted up in posthaste_nodes, so that rows of an earlier start are
// known to be nobody's.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/data_lock.h"
#include "store/databases.h"

namespace posthaste::store {

class NodeLease {
 public:
  NodeLease(Databases& databases, const config::Config& config) : databases_(databases), config_(config) {}

  // Registers this node at the first call. Blocks; throws sql::Failure.
  const std::string& text();
  bool taken() const { return taken_; }
  // Says that the node lives. False if another process has started under the same id since.
  bool heartbeat();
  // Others need not wait for this node's silence.
  void sign_off();

 private:
  void take_id_file();
  void choose_id();
  void enter(sql::Connection& connection);

  Databases& databases_;
  const config::Config& config_;
  std::mutex mutex_;
  std::atomic<bool> taken_ = false;
  std::optional<FileLock> id_file_;
  std::string id_, text_;
  std::int64_t start_no_ = 0;
};

// `posthaste <node id>` of `posthaste <node id> <start number>`.
std::string node_of_lease(std::string_view lease);

// The processes that hold leases, or did, by node id.
struct KnownNode {
  std::int64_t start_no = 0;
  bool alive = false;  // seen within the last minute
};
using KnownNodes = std::map<std::string, KnownNode>;
KnownNodes known_nodes(sql::Connection& connection, const sql::Names& names);

// A text in locked_by that is not ours.
struct OtherLease {
  std::string text;
  bool foreign = false;  // Postal's, or unreadable: only its age tells
  bool dead = false;     // of a process that is gone
};
// `table`: where the rows are, with its database's name.
std::vector<OtherLease> other_leases(sql::Connection& connection, const std::string& table, const KnownNodes& nodes,
                                     const std::string& own);

// The database's clock: nodes must agree on the time.
Time database_now(sql::Connection& connection);

}  // namespace posthaste::store
