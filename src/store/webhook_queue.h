// Requests to webhooks that wait in the table, and the history of those that were made (data-model.md 7.3, 13.4).
//
// Rows are claimed as leases like those of the mail queue, under the same lease text; a dead process's come back by
// themselves. All calls block but record(), which joins the mail server's next batch.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "store/records.h"

namespace posthaste::store {

struct WebhookRequest {
  Id id = 0, server_id = 0, webhook_id = 0;
  std::string url, event, uuid;
  std::string payload;  // as it is in the table: JSON, or the YAML of a Postal
  int attempts = 0;
  Time created_at;
};

// What became of one attempt: a row of the history, and the end of the request or its next time.
struct WebhookAttempt {
  WebhookRequest request;
  Time at;
  std::string url;      // where it went
  std::string payload;  // JSON
  int code = 0;         // of the answer, or below zero
  std::string body;     // of the answer, or what went wrong; cut and cleaned when it is written
  bool success = false;
  std::optional<Time> retry_at;  // none: it is not made again
};

class WebhookQueue {
 public:
  virtual ~WebhookQueue() = default;

  // Takes the lease of up to `limit` requests that are due, oldest first, but for those of these webhooks.
  virtual std::vector<WebhookRequest> claim(std::size_t limit, const std::set<Id>& but) = 0;
  virtual void record(WebhookAttempt attempt, std::move_only_function<void(Result<>)> done) = 0;
  // Without an attempt: back to the table, or away for good.
  virtual void give_back(const std::vector<WebhookRequest>& requests) = 0;
  virtual void remove(const std::vector<WebhookRequest>& requests) = 0;

  virtual std::size_t make_all_due() = 0;
  // All that this process holds, at shutdown.
  virtual std::size_t release_all() = 0;
  // Whether the webhook has a row, whatever this process's directory knows yet.
  virtual bool exists(Id webhook_id) = 0;
  // Any thread, never blocks; written within a second.
  virtual void note_used(Id webhook_id, Time when) = 0;

  // Called from the writer's thread when requests were written in this process, or came back. One listener.
  virtual void on_due(std::function<void()> listener) = 0;
};

}  // namespace posthaste::store
