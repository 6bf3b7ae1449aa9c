#include "store/webhook_rows.h"

#include "store/rows.h"

namespace posthaste::store {

std::string requests_table(const sql::Names& names) {
  return names.queue.empty() ? "`queued_webhook_requests`" : names.queue + "`webhook_requests`";
}

void write_requests(sql::Connection& connection, const sql::Names& names, Id server_id, Time now,
                    std::span<const NewWebhookRequest> requests) {
  Rows rows(8);
  for (const NewWebhookRequest& r : requests)
    rows.add({server_id, r.webhook_id, std::string_view(r.url), std::string_view(r.event), std::string_view(r.uuid),
              std::string_view(r.payload), std::int64_t{0}, sql::DateTime{now}});
  insert(connection,
         fmt::format("INSERT INTO {} (server_id, webhook_id, url, event, uuid, payload, attempts, created_at)",
                     requests_table(names)),
         rows);
}

void write_requests(sql::Connection& connection, const sql::Names& names, std::span<ConcludeWork* const> works) {
  for (const ConcludeWork* work : works) {
    const Conclusion& c = *work->conclusion;
    if (work->recorded_before || c.requests.empty()) continue;
    write_requests(connection, names, c.server_id, c.delivery ? c.delivery->timestamp : system_now(), c.requests);
  }
}

}  // namespace posthaste::store
