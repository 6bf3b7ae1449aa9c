// The webhook queue over both engines; part of the store.
#pragma once

#include <map>
#include <mutex>

#include "store/databases.h"
#include "store/directory_snapshot.h"
#include "store/due.h"
#include "store/leases.h"
#include "store/store.h"
#include "store/webhook_queue.h"

namespace posthaste::store {

class WebhookQueueImpl final : public WebhookQueue {
 public:
  struct Context {
    Databases& databases;
    NodeLease& lease;
    std::function<std::shared_ptr<const Snapshot>()> snapshot;
    std::function<void(Write, ConcludeDone)> write;
  };
  explicit WebhookQueueImpl(Context context) : context_(std::move(context)) {}

  std::vector<WebhookRequest> claim(std::size_t limit, const std::set<Id>& but) override;
  void record(WebhookAttempt attempt, std::move_only_function<void(Result<>)> done) override;
  void give_back(const std::vector<WebhookRequest>& requests) override;
  void remove(const std::vector<WebhookRequest>& requests) override;
  std::size_t make_all_due() override;
  std::size_t release_all() override;
  bool exists(Id webhook_id) override;
  void note_used(Id webhook_id, Time when) override;
  void on_due(std::function<void()> listener) override;

  // --- for the store
  // Requests may be due there from then on: written, or never looked at.
  void note_due(Id server_id, Time due);
  void tell();  // the listener
  void flush_used();
  // Frees the rows of leases that nobody holds any more.
  void reclaim(const KnownNodes& nodes);

 private:
  std::vector<WebhookRequest> claim_at(Id place, std::size_t limit, const std::set<Id>& but);
  void free_unclaimed(Id place);
  void free_stale(Id place, const KnownNodes& nodes);
  // Runs the statement, which ends in `id IN`, over our rows, place by place.
  void change_ours(const std::vector<WebhookRequest>& requests, std::string_view statement);
  std::vector<Id> places() const;
  std::string table(Id place) const;

  const Context context_;
  DueNotes due_;  // SQLite: where to look
  std::mutex mutex_;
  std::function<void()> listener_;
  std::set<Id> leased_places_;
  std::map<Id, std::vector<Id>> unclaimed_;  // of claims that failed: perhaps locked, in nobody's hands
  std::map<Id, Time> used_;                  // webhooks, not written yet
};

}  // namespace posthaste::store
