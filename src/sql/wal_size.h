// How much the write-ahead log of a SQLite file holds, for whoever runs its checkpoints.
#pragma once

#include <atomic>
#include <memory>

#include "sql/sql.h"

namespace posthaste::sql {

using WalSize = std::shared_ptr<std::atomic<std::int64_t>>;

// From now on each commit of this connection stores there how many bytes the log has taken since it last began anew.
// The file's own size does not tell: it stays when the log starts over. For connections with manual checkpoints: SQLite
// does its automatic ones through the same hook.
void report_wal_size(Connection& sqlite_connection, WalSize bytes);

}  // namespace posthaste::sql
