// Commits batches of jobs: one transaction where messages and queue are together, otherwise messages first and queue
// second (data-model.md 21.1, 21.4), and what to do when that fails (22.4):
//
//   conflict        the whole transaction again
//   missing table   the raw table is made, the transaction repeated
//   connection lost a new connection; a lost COMMIT is looked for in the tables before it is repeated
//   bad data        the batch is split until the guilty job is alone; it fails, the others are committed. An outcome is
//                   tried once more with what must be recorded alone: its message must not be sent again
//   disk full       submissions fail with Limit
//   database gone   submissions fail with Unavailable
//
// Conclusions are never given up for a database's sake: they go back to the writer to be tried again.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "store/accept.h"
#include "store/conclude.h"
#include "store/databases.h"
#include "store/jobs.h"
#include "store/raw_tables.h"

namespace posthaste::store {

// What the committer must know and tell of the rest of the store.
struct CommitterContext {
  Databases& databases;
  RawTables& raw_tables;
  Tally& tally;
  ConcludeRules conclude_rules;
  std::function<const std::string&()> lease;  // registers this node at first use; may throw sql::Failure
  std::function<bool(const Submission&)> may_share_raw;
  std::function<void(Id server_id, Time due)> note_due;  // an unclaimed row is due then
  std::function<void(Id server_id)> note_requests;       // webhook requests may have been written
  std::function<void(Id server_id)> note_leased;         // rows under our lease exist
  // Rows that may be there under our lease although their submission was refused: a COMMIT whose outcome nobody told.
  std::function<void(Id server_id, std::vector<std::string> tokens)> note_unsettled;
  std::function<void(const sql::Failure&)>
      note_gone;  // the database could not be reached; said once by whoever owns it
};

class Committer {
 public:
  explicit Committer(CommitterContext context) : context_(std::move(context)) {}

  // Settles the jobs of one lane and returns those to be tried again. Never throws.
  std::vector<JobPtr> commit(std::vector<JobPtr> jobs);
  // Whether the last batch of any lane could be committed.
  bool healthy() const { return healthy_; }

 private:
  struct Batch;

  void write(Batch& batch);
  void write_together(Batch& batch);
  void write_apart(Batch& batch);
  void write_message_part(sql::Connection& connection, Batch& batch);
  void write_queue_part(sql::Connection& connection, Batch& batch);
  void remove_messages(Batch& batch) noexcept;
  // Runs `work` in a transaction until it is committed. `committed` looks for the work's traces after a lost COMMIT.
  void transact(ConnectionPool& pool, std::string_view database, Batch& batch, const Work& work,
                const std::function<bool(sql::Connection&)>& committed);
  bool messages_are_there(sql::Connection& connection, const Batch& batch);
  bool queue_rows_are_there(sql::Connection& connection, const Batch& batch);

  void finish(Batch& batch);
  std::vector<JobPtr> after_failure(Batch& batch, const sql::Failure& failure);
  std::vector<JobPtr> give_back_or_fail(Batch& batch, const sql::Failure& failure);
  std::vector<JobPtr> commit_bare(JobPtr job, const sql::Failure& failure);
  std::vector<JobPtr> split(Batch& batch);

  CommitterContext context_;
  std::atomic<bool> healthy_ = true;
};

}  // namespace posthaste::store
