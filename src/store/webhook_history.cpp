// What an attempt at a webhook request leaves in the tables.
#include "base/strings.h"
#include "store/rows.h"
#include "store/webhook_queue_impl.h"
#include "store/webhook_rows.h"

namespace posthaste::store {

namespace {

constexpr std::size_t kMostText = 65535;  // bytes of a `text` column
constexpr std::size_t kMostUrl = 255;

std::string column_text(std::string_view bytes) {
  std::string text = clean_utf8(bytes.substr(0, kMostText));
  while (text.size() > kMostText) text.resize(kMostText);
  while (!text.empty() && !is_utf8(text)) text.pop_back();
  return text;
}

// Written once, even when the batch is repeated after a lost COMMIT.
void write_history(sql::Connection& connection, const sql::Names& names, const WebhookAttempt& a) {
  const sql::UnixTime at{a.at};
  const int number = a.request.attempts + 1;
  if (connection.scalar(
          sql::bind_names("SELECT 1 FROM {message}`webhook_requests` WHERE uuid = ? AND attempt = ? AND timestamp = ?",
                          names),
          {std::string_view(a.request.uuid), std::int64_t{number}, at}))
    return;
  const std::string body = column_text(a.body);
  connection.run(
      sql::bind_names("INSERT INTO {message}`webhook_requests` (uuid, event, attempt, timestamp, status_code, body, "
                      "payload, will_retry, url, webhook_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                      names),
      {std::string_view(a.request.uuid), std::string_view(a.request.event), std::int64_t{number}, at,
       std::int64_t{a.code}, std::string_view(body),
       a.payload.size() > kMostText ? sql::Value(sql::Null{}) : sql::Value(std::string_view(a.payload)),
       sql::flag(a.retry_at.has_value()), utf8_prefix(a.url, kMostUrl), a.request.webhook_id});
}

void settle_request(sql::Connection& connection, const sql::Names& names, const WebhookAttempt& a,
                    const std::string& lease) {
  const std::string table = requests_table(names);
  if (!a.retry_at) {
    connection.run(fmt::format("DELETE FROM {} WHERE id = ? AND locked_by = ?", table),
                   {a.request.id, std::string_view(lease)});
    return;
  }
  const std::string error = fmt::format("Couldn't send to URL. Code received was {}", a.code);
  connection.run(fmt::format("UPDATE {} SET attempts = ?, retry_after = ?, error = ?, locked_by = NULL, locked_at = "
                             "NULL WHERE id = ? AND locked_by = ?",
                             table),
                 {std::int64_t{a.request.attempts + 1}, sql::DateTime{*a.retry_at}, std::string_view(error),
                  a.request.id, std::string_view(lease)});
}

}  // namespace

void WebhookQueueImpl::record(WebhookAttempt attempt, std::move_only_function<void(Result<>)> done) {
  const auto kept = std::make_shared<const WebhookAttempt>(std::move(attempt));
  const std::string lease = context_.lease.text();
  Write write;
  write.server_id = kept->request.server_id;
  write.may_add_requests = false;
  write.bytes = kept->payload.size() + std::min(kept->body.size(), kMostText);
  write.messages = [kept](sql::Connection& connection, const sql::Names& names) {
    write_history(connection, names, *kept);
  };
  write.queue = [kept, lease](sql::Connection& connection, const sql::Names& names) {
    settle_request(connection, names, *kept, lease);
  };
  if (kept->success) note_used(kept->request.webhook_id, kept->at);
  context_.write(std::move(write), [this, kept, done = std::move(done)](Result<> written) mutable {
    if (kept->retry_at) note_due(kept->request.server_id, *kept->retry_at);
    done(std::move(written));
  });
}

}  // namespace posthaste::store
