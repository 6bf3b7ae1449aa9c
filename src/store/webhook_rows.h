// Rows of pending webhook requests (data-model.md 7.3).
#pragma once

#include <span>
#include <string>

#include "store/conclude.h"

namespace posthaste::store {

// `webhook_requests` of the main database; in a SQLite server file, where the history has that name,
// `queued_webhook_requests`.
std::string requests_table(const sql::Names& names);

void write_requests(sql::Connection& connection, const sql::Names& names, Id server_id, Time now,
                    std::span<const NewWebhookRequest> requests);
// Of conclusions that share a table; those that were recorded before have theirs.
void write_requests(sql::Connection& connection, const sql::Names& names, std::span<ConcludeWork* const> works);

}  // namespace posthaste::store
