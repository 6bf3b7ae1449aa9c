// The Store over both engines. Its methods are in the files of their subjects: directory_refresh.cpp, claim.cpp,
// leases_reclaim.cpp, message_reads.cpp, queue_admin.cpp, requeue.cpp, maintenance.cpp, servers.cpp.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "store/claim_scan.h"
#include "store/committer.h"
#include "store/databases.h"
#include "store/directory_snapshot.h"
#include "store/due.h"
#include "store/leases.h"
#include "store/live_stats.h"
#include "store/raw_tables.h"
#include "store/store.h"
#include "store/webhook_queue_impl.h"
#include "store/writer.h"

namespace posthaste::store {

class StoreImpl final : public Store {
 public:
  StoreImpl(std::unique_ptr<const config::Config> config, std::unique_ptr<Databases> databases,
            const StoreOptions& options);
  ~StoreImpl() override;

  // Whether the schema is current; then reads the directory and starts the threads.
  Result<> start();

  std::shared_ptr<const Directory> directory() const override;
  void reload_directory() override;
  void poll_changes() override;

  void accept(Submission submission, bool claim, AcceptDone done) override;

  std::vector<QueuedMessage> claim(std::size_t limit, const std::vector<Id>& local_ips,
                                   const std::vector<Site>& passed_over) override;
  std::optional<Time> next_due() override;
  void conclude(Conclusion conclusion, ConcludeDone done) override;
  void write(Write write, ConcludeDone done) override;
  WebhookQueue* webhook_queue() override { return &requests_; }
  const std::string& lease() const override;
  bool heartbeat() override;
  std::size_t reclaim() override;
  std::size_t release_all() override;

  std::optional<Message> message(Id server_id, Id message_id) override;
  std::optional<Message> message_by_token(Id server_id, std::string_view token) override;
  std::optional<RawMessage> raw(Id server_id, const Message& message) override;
  std::vector<Delivery> deliveries(Id server_id, Id message_id) override;
  std::optional<Suppression> suppression(Id server_id, std::string_view address, Time now) override;
  std::size_t hard_fails_since(Id server_id, std::string_view rcpt_to, Time since) override;
  std::optional<Message> sent_message(Id server_id, std::string_view message_id, std::string_view rcpt_to,
                                      Time since) override;
  std::optional<Id> bounce_made_for(Id server_id, Id message_id) override;
  std::size_t bounces_made_since(Id server_id, std::string_view rcpt_to, Time since) override;
  bool reported_since(Id server_id, Id bounce_id, const BounceReport& report, Time since) override;
  std::int64_t sent_last_hour(Id server_id, Time now) override;
  void count_sent(Id server_id, Time now) override;
  void count_received(Id server_id, Time now) override;
  void note_send_limit(Id server_id, SendLimitState state, Time now) override;

  std::vector<QueueEntry> queue(const QueueFilter& filter) override;
  std::size_t queue_retry_now(const QueueFilter& filter) override;
  std::size_t queue_delete(const QueueFilter& filter) override;
  Result<Requeued> requeue(Id server_id, Id message_id) override;
  QueueNumbers queue_numbers() override;

  void change(const std::function<void(sql::Connection&)>& work) override;
  void read(const std::function<void(sql::Connection&)>& work) override;
  std::string main(std::string_view sql) const override;
  void change_messages(Id server_id, const std::function<void(sql::Connection&)>& work) override;
  void read_messages(Id server_id, const std::function<void(sql::Connection&)>& work) override;
  std::string message(Id server_id, std::string_view sql) const override;
  Result<> provision(Id server_id) override;
  void drop(Id server_id) override;
  void note_credential_used(Id credential_id, Time when) override;
  void note_endpoint_used(std::string_view type, Id endpoint_id, Time when) override;
  bool healthy() const override;
  void close() override;

 private:
  using SnapshotPtr = std::shared_ptr<const Snapshot>;

  CommitterContext committer_context();
  bool may_share_raw(const Submission& submission) const;
  SnapshotPtr snapshot() const { return snapshot_.load(); }
  void install(ConfigurationRows rows, std::string mark);
  Result<> check_schemas();

  // Reads one mail server's messages, or its queue.
  void with_messages(Id server_id, const std::function<void(sql::Connection&, const sql::Names&)>& work) const;
  // Every place with a queue: each mail server's file on SQLite (or that of `only`), the one table on MariaDB.
  std::vector<Id> queue_places(std::optional<Id> only) const;
  void note_unsettled(Id server_id, std::vector<std::string> tokens);
  std::optional<Id> source_of(Id server_id, Id message_id);

  std::vector<QueuedMessage> claim_at(Id place, std::size_t limit, const std::vector<Site>& passed_over,
                                      bool retries_first);
  std::optional<Time> next_due_at(Id place);
  void free_unclaimed(Id place);
  void note_local_ips(const std::vector<Id>& local_ips);
  std::string claimable() const;
  std::size_t reclaim_at(Id place, const KnownNodes& nodes);
  void remove_orphans();
  void remove_orphans(Id server_id);
  std::size_t free_rows(sql::Connection& connection, const sql::Names& names, const OtherLease& lease);
  std::vector<QueueEntry> queue_at(Id place, const QueueFilter& filter);
  std::size_t change_entries(const QueueFilter& filter, std::string_view statement);

  // maintenance.cpp
  void maintain();
  void maintain_once(unsigned round, bool last);
  void flush_counts();
  void flush_totals();
  using UsedRow = std::pair<std::string_view, Id>;  // table, row
  void note_used(UsedRow row, Time when);
  void flush_last_used(bool all);
  void flush_send_limits();
  void free_lost_sources();
  std::size_t free_lost_sources(Id place);
  void settle_unsettled();
  void settle_unsettled(Id server_id, const std::string& token);
  void probe();
  void note_gone(const sql::Failure& failure);
  void checkpoint(bool last);

  const std::unique_ptr<const config::Config> config_;
  const std::unique_ptr<Databases> databases_;
  const StoreOptions options_;
  std::atomic<SnapshotPtr> snapshot_;
  std::mutex reload_mutex_;
  std::string mark_;  // of the tables when the snapshot was read; under reload_mutex_

  mutable NodeLease lease_;
  RawTables raw_tables_;
  Tally tally_;
  LiveStats live_stats_;
  DueNotes due_;
  WebhookQueueImpl requests_;
  std::mutex places_mutex_;
  std::map<Id, ClaimScan> scans_;            // by place
  std::set<Id> leased_places_;               // where rows under our lease may be
  std::vector<Id> local_ips_;                // of the last claim
  std::map<Id, std::vector<Id>> unclaimed_;  // rows of claims that failed: perhaps locked, in nobody's hands
  std::atomic<unsigned> claims_ = 0;
  std::once_flag orphans_removed_;
  std::chrono::steady_clock::time_point restamped_ = std::chrono::steady_clock::now();

  std::mutex notes_mutex_;
  std::map<UsedRow, Time> used_;  // not written yet
  std::map<UsedRow, Time> used_written_;
  struct SendLimitNote {
    SendLimitState state = SendLimitState::Below;
    Time when;
    bool operator==(const SendLimitNote&) const = default;
  };
  std::map<Id, SendLimitNote> send_limits_noted_, send_limits_written_;
  std::vector<std::pair<Id, std::string>> unsettled_;  // mail server and message token

  std::atomic<bool> sources_gone_ = true;  // rows may wait for a source address that no longer exists
  std::atomic<bool> reachable_ = true;     // the last probe succeeded
  std::atomic<std::uint64_t> writes_ = 0;  // batches
  std::uint64_t checkpointed_writes_ = 0;  // as of the last beat of maintenance
  int idle_beats_ = 0;

  Committer committer_;
  std::unique_ptr<Writer> writer_;
  std::mutex stop_mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  bool closed_ = false;
  std::thread maintenance_;
};

}  // namespace posthaste::store
