// The store: everything that Posthaste keeps, on SQLite files or MariaDB databases.
//
// Writes on the mail path are asynchronous: they are handed to the database's writer, which commits all that is pending
// in one transaction with one sync and then calls back, from its own thread, exactly once each. Everything else here
// blocks its caller and belongs on a pool thread (io::Pool) or in the command line, never on an event loop.
//
// Blocking calls throw sql::Failure when the database is gone or broken.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "sql/sql.h"
#include "store/directory.h"
#include "store/messages.h"
#include "store/webhook_queue.h"

namespace posthaste::store {

using AcceptDone = std::move_only_function<void(Result<Stored>)>;
using ConcludeDone = std::move_only_function<void(Result<>)>;

struct StoreOptions {
  bool read_only = false;  // command line beside a running instance
  std::size_t writer_threads = 2;
  std::size_t reader_connections = 8;
};

// Statements that join the next batch of a mail server's writer: one transaction, one sync with everything else in it.
// They run on the writer's thread, at times more than once (a batch that failed is repeated), so they must not change
// anything but the tables, and be right when a COMMIT whose answer was lost is done again. Failures of data fail this
// write alone; while the database is away it waits.
struct Write {
  Id server_id = 0;
  std::size_t bytes = 0;         // about how much is written
  bool may_add_requests = true;  // to webhooks, in the `queue` part: who sends them is told
  std::function<void(sql::Connection&, const sql::Names&)> messages;  // in the mail server's database; may be empty
  std::function<void(sql::Connection&, const sql::Names&)> queue;     // where queue and webhook requests are; likewise
};

class Store {
 public:
  // Opens what is there. SQLite: takes the data directory's lock (fails with Conflict when another process has it).
  // Fails with Unavailable when the database cannot be reached, Invalid when it has not been initialised or a migration
  // is missing, with texts that say what to run.
  static Result<std::unique_ptr<Store>> open(const config::Config& config, const StoreOptions& options = {});

  // Makes the databases ready: creates what is missing, migrates main and all message databases, brings Postal's own
  // older ones up to 3.3.6 (data-model.md section 8). One report line per database.
  struct InitializeReport {
    std::string database;
    int from = 0, to = 0;
  };
  static Result<std::vector<InitializeReport>> initialize(const config::Config& config);

  virtual ~Store() = default;

  // --- the directory
  virtual std::shared_ptr<const Directory> directory() const = 0;  // any thread, never blocks
  virtual void reload_directory() = 0;                             // blocking; the new snapshot is in force afterwards
  // Blocking; reloads if another process changed a configuration table since. Called every second or two.
  virtual void poll_changes() = 0;

  // --- mail in
  // Commits the submission. With claim, the queue rows are inserted under this node's lease and the caller must
  // conclude them. Errors: Unavailable (database gone), Limit (disk full), Invalid (data that cannot be stored).
  virtual void accept(Submission submission, bool claim, AcceptDone done) = 0;

  // --- mail out
  // Takes the lease of up to `limit` rows that are due, oldest first. `local_ips`: ids of ip_addresses on this host.
  // Rows of the sites that are passed over stay where they are.
  virtual std::vector<QueuedMessage> claim(std::size_t limit, const std::vector<Id>& local_ips,
                                           const std::vector<Site>& passed_over = {}) = 0;
  // When the next unclaimed row becomes due; nothing if none waits.
  virtual std::optional<Time> next_due() = 0;
  virtual void conclude(Conclusion conclusion, ConcludeDone done) = 0;
  virtual void write(Write write, ConcludeDone done) = 0;

  // Requests to webhooks that wait. Null in tests without any.
  virtual WebhookQueue* webhook_queue() { return nullptr; }

  // This node's lease: `posthaste <node id> <start number>`, the text in locked_by.
  virtual const std::string& lease() const = 0;
  // Heartbeat, every 10 s. False if the lease was lost (other processes may have taken our rows).
  virtual bool heartbeat() = 0;
  // Frees rows of dead leases: earlier starts of this node at once, other nodes unseen for 60 s, foreign locks older
  // than postal.queued_message_lock_stale_days. Returns how many.
  virtual std::size_t reclaim() = 0;
  // At shutdown: all rows that this process still holds go back, attempts unchanged.
  virtual std::size_t release_all() = 0;

  // --- messages, blocking
  virtual std::optional<Message> message(Id server_id, Id message_id) = 0;
  virtual std::optional<Message> message_by_token(Id server_id, std::string_view token) = 0;
  // Nothing when the rows are missing.
  virtual std::optional<RawMessage> raw(Id server_id, const Message& message) = 0;
  virtual std::vector<Delivery> deliveries(Id server_id, Id message_id) = 0;
  struct Suppression {
    std::string address, reason;
    Time keep_until;
  };
  virtual std::optional<Suppression> suppression(Id server_id, std::string_view address, Time now) = 0;
  // Outgoing messages to this recipient with status HardFail since then.
  virtual std::size_t hard_fails_since(Id server_id, std::string_view rcpt_to, Time since) = 0;
  // Messages counted as sent in the last 60 minutes, with what has not been flushed yet (outbound-delivery.md section
  // 8).
  virtual std::int64_t sent_last_hour(Id server_id, Time now) = 0;
  virtual void count_sent(Id server_id, Time now) = 0;      // any thread, never blocks
  virtual void count_received(Id server_id, Time now) = 0;  // likewise: incoming messages in `live_stats`
  // How a mail server stands to its limit, as Postal's columns say it: which of the two times is set, if any. Any
  // thread, never blocks; written when it changes and once a minute while it lasts.
  enum class SendLimitState { Below, Approaching, Exceeded };
  virtual void note_send_limit(Id, SendLimitState, Time) {}

  // --- bounces, blocking
  // The newest outgoing message with this Message-ID (without angle brackets) to this recipient since then.
  virtual std::optional<Message> sent_message(Id server_id, std::string_view message_id, std::string_view rcpt_to,
                                              Time since) = 0;
  // The bounce that was made for this message, if any.
  virtual std::optional<Id> bounce_made_for(Id server_id, Id message_id) = 0;
  // Bounces that were made for this sender since then.
  virtual std::size_t bounces_made_since(Id server_id, std::string_view rcpt_to, Time since) = 0;
  // Whether another message than `bounce_id` has said the same of this message since then.
  virtual bool reported_since(Id server_id, Id bounce_id, const BounceReport& report, Time since) = 0;

  // --- the queue, for people
  virtual std::vector<QueueEntry> queue(const QueueFilter& filter) = 0;
  virtual std::size_t queue_retry_now(const QueueFilter& filter) = 0;  // due now
  virtual std::size_t queue_delete(const QueueFilter& filter) = 0;     // unlocked rows only
  // outbound-delivery.md 7.1: due now when queued, otherwise queued anew with manual = 1. Error NotFound, or Invalid
  // when the raw message is gone.
  enum class Requeued { WasQueued, Released, Redelivered };
  virtual Result<Requeued> requeue(Id server_id, Id message_id) = 0;
  struct QueueNumbers {
    std::int64_t ready = 0, deferred = 0, active = 0, held = 0;
    std::optional<Time> oldest_ready;
  };
  virtual QueueNumbers queue_numbers() = 0;

  // --- configuration tables, blocking; for `manage`. The work runs in one transaction on the main database, with a
  // connection whose table names are bound by main(). Afterwards the directory is reloaded and other processes are
  // told.
  virtual void change(const std::function<void(sql::Connection&)>& work) = 0;
  virtual void read(const std::function<void(sql::Connection&)>& work) = 0;
  // `INSERT INTO {main}`users` ...` with the database's name put in
  virtual std::string main(std::string_view sql) const = 0;
  // The same on a mail server's own database, with table names bound by message(): for its suppression list.
  virtual void change_messages(Id server_id, const std::function<void(sql::Connection&)>& work) = 0;
  virtual void read_messages(Id server_id, const std::function<void(sql::Connection&)>& work) = 0;
  virtual std::string message(Id server_id, std::string_view sql) const = 0;

  // Creates the message database of a new mail server; fails with Conflict when one with messages exists.
  virtual Result<> provision(Id server_id) = 0;
  virtual void drop(Id server_id) = 0;

  virtual void note_credential_used(Id credential_id,
                                    Time when) = 0;  // any thread, never blocks; written at most once a minute
  // The same of SMTPEndpoint, HTTPEndpoint and AddressEndpoint rows.
  virtual void note_endpoint_used(std::string_view type, Id endpoint_id, Time when) = 0;
  virtual bool healthy() const = 0;  // the last write or probe succeeded

  // Flushes what is pending and stops the writers. Called once, at the end.
  virtual void close() = 0;
};

}  // namespace posthaste::store
