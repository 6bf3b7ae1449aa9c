// Notices that another process changed a configuration table.
//
// Posthaste's own processes raise a number in posthaste_changes with each change. A Postal web process, or a person
// with an SQL prompt, does not: so each table's row count, highest id and latest updated_at count too
// (data-model.md 21.6).
#pragma once

#include <mutex>
#include <string>

#include "sql/sql.h"

namespace posthaste::store {

// What the tables look like from far; differs after any change.
std::string configuration_mark(sql::Connection& connection, const sql::Names& names);

// Tells other processes, inside the transaction that changes something.
void announce_change(sql::Connection& connection, const sql::Names& names);

}  // namespace posthaste::store
