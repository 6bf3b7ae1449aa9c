// A connection to MariaDB as its statements see it; part of the driver, not of the room's contract.
#pragma once

#include <mysql.h>

#include "sql/sql.h"

namespace posthaste::sql {

struct MariaDbSession {
  MYSQL* handle = nullptr;
  bool lost = false;
  std::uint64_t max_packet = 16 << 20;
  Result last_result;
};

FailureKind mariadb_failure_kind(unsigned code, std::string_view text);
// True when the connection or the node behind it cannot be used any more (data-model.md 22.4).
bool mariadb_connection_is_lost(unsigned code);

// Throws what the library reported; marks the session when the connection is gone.
[[noreturn]] void throw_mariadb(MariaDbSession& session, unsigned code, const char* text, std::string_view doing);

}  // namespace posthaste::sql
