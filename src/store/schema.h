// The databases of an installation: where they are, how they are made, whether they are current.
//
// MariaDB: Postal's tables exactly as Postal 3.3.6 has them, with tables, indexes and columns named `posthaste_...`
// beside them (data-model.md sections 2, 8, 9, 19). SQLite: main.db and servers/<id>.db; a mail server's queue and
// pending webhooks lie in its own file as `queued_messages` and `queued_webhook_requests` (section 20).
//
// These functions block. They throw sql::Failure when the database is gone or broken.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"
#include "sql/sql.h"
#include "store/records.h"

namespace posthaste::store {

// Where things are.
std::string main_file(const config::Config& config);                       // <data>/main.db
std::string server_file(const config::Config& config, Id server_id);       // <data>/servers/<id>.db
std::string message_database(const config::Config& config, Id server_id);  // postal-server-1, unquoted
sql::Names names_of(const config::Config& config, Id server_id);           // for statements about this mail server
sql::Names main_names(const config::Config& config);                       // main and queue; no mail server
sql::MariaDbOptions main_options(const config::Config& config);  // no database selected: statements name theirs
sql::MariaDbOptions message_options(const config::Config& config);

// Whether the schema is what this program needs; otherwise Invalid with a text that says what to run.
Result<> check_main_schema(sql::Connection& connection, const sql::Names& names);
Result<> check_message_schema(sql::Connection& connection, const sql::Names& names);

// What to run on a MariaDB server that would refuse the largest message the configuration allows; empty: it takes all.
std::string packet_size_advice(sql::Connection& connection, const config::Config& config);

// Makes a new mail server's message database, at its newest version. On SQLite the connection is the server's file,
// opened with `create`. Fails with Conflict if there is one that has been used, with Denied if the account may not
// create it.
Result<> provision_database(sql::Connection& connection, const sql::Names& names, Id server_id);
// The same over a connection of its own.
Result<> provision_database(const config::Config& config, Id server_id);

// Removes the message database; there need not be one. On SQLite its files go: close every connection to them first.
void drop_database(const config::Config& config, Id server_id);

// Makes the table of a day's raw messages (`raw-2026-01-31`) and its row in raw_message_sizes; there may be one
// already. On MariaDB outside a transaction, since DDL commits.
void create_raw_table(sql::Connection& connection, const sql::Names& names, std::string_view table);

}  // namespace posthaste::store
