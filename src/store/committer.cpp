#include "store/committer.h"

#include <thread>

#include "base/log.h"
#include "base/metrics.h"
#include "store/batch.h"
#include "store/webhook_rows.h"

namespace posthaste::store {

namespace {

constexpr int kReconnects = 3;
constexpr auto kReconnectPause = std::chrono::milliseconds(100);

const std::vector<double> kSizes = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

void observe(std::string_view database, std::size_t jobs, std::chrono::steady_clock::duration took) {
  static const metrics::Histogram seconds(metrics::Part::Common, "posthaste_store_commit_seconds",
                                          "Time to write and commit one batch", metrics::postal_buckets(), true);
  static const metrics::Histogram sizes(metrics::Part::Common, "posthaste_store_batch_size",
                                        "Submissions and outcomes committed together", kSizes, true);
  const metrics::Labels labels = {{"database", std::string(database)}};
  seconds.observe(labels, std::chrono::duration<double>(took).count());
  sizes.observe(labels, double(jobs));
}

}  // namespace

Committer::Batch::Batch(std::vector<JobPtr> with, const CommitterContext& context) : jobs(std::move(with)) {
  accepts.reserve(jobs.size());  // the lists below point into them
  conclusions.reserve(jobs.size());
  for (const JobPtr& job : jobs) {
    if (const auto* accept = std::get_if<AcceptJob>(&job->what)) {
      accepts.push_back({.submission = &accept->submission,
                         .claim = accept->claim,
                         .share_raw = context.may_share_raw(accept->submission),
                         .raw_table = raw_table_of(accept->submission.timestamp)});
      accepts_by_server[job->server_id].push_back(&accepts.back());
      all_accepts.push_back(&accepts.back());
    } else if (const auto* write = std::get_if<WriteJob>(&job->what)) {
      writes.push_back(&write->write);
    } else {
      const Conclusion& conclusion = std::get<ConcludeJob>(job->what).conclusion;
      conclusions.push_back({.conclusion = &conclusion, .maybe_recorded = conclusion.recovered || job->attempts > 0});
      conclusions_by_server[job->server_id].push_back(&conclusions.back());
      all_conclusions.push_back(&conclusions.back());
    }
  }
}

std::vector<JobPtr> Committer::commit(std::vector<JobPtr> jobs) {
  if (jobs.empty()) return {};
  Batch batch(std::move(jobs), context_);
  for (const JobPtr& job : batch.jobs) ++job->attempts;
  try {
    write(batch);
  } catch (const sql::Failure& failure) {
    return after_failure(batch, failure);
  } catch (const std::exception& error) {
    return after_failure(batch, sql::Failure(sql::FailureKind::Broken, error.what()));
  }
  healthy_ = true;
  finish(batch);
  return {};
}

void Committer::write(Batch& batch) {
  for (bool made_tables = false;; made_tables = true) {
    try {
      return context_.databases.together() ? write_together(batch) : write_apart(batch);
    } catch (const sql::Failure& failure) {
      if (failure.kind() != sql::FailureKind::MissingTable || made_tables) throw;
      // A day's table that we knew is gone: retention, or another process that moved the database.
      for (const auto& [server_id, works] : batch.accepts_by_server) context_.raw_tables.forget(server_id);
    }
  }
}

void Committer::write_together(Batch& batch) {
  const Place place = context_.databases.messages(batch.any_server());
  transact(
      *place.commit, "message", batch,
      [&](sql::Connection& connection) {
        write_message_part(connection, batch);
        write_queue_part(connection, batch);
        if (context_.databases.sqlite())
          batch.counts.write(connection, [&](Id id) { return context_.databases.names(id); });
      },
      [&](sql::Connection& connection) { return messages_are_there(connection, batch); });
}

void Committer::write_apart(Batch& batch) {
  const Place messages = context_.databases.messages(batch.any_server());
  const Place queue = context_.databases.queue(batch.any_server());
  if (!batch.messages_committed)
    transact(
        *messages.commit, "message", batch, [&](sql::Connection& c) { write_message_part(c, batch); },
        [&](sql::Connection& c) { return messages_are_there(c, batch); });
  batch.messages_committed = true;
  batch.unknown = false;
  transact(
      *queue.commit, "main", batch, [&](sql::Connection& c) { write_queue_part(c, batch); },
      [&](sql::Connection& c) { return queue_rows_are_there(c, batch); });
}

void Committer::write_message_part(sql::Connection& connection, Batch& batch) {
  batch.counts = {};
  batch.totals = {};
  for (const auto& [server_id, works] : batch.accepts_by_server)
    write_messages(connection, context_.databases.names(server_id), works);
  count(batch.all_accepts, batch.counts, batch.totals);
  for (const auto& [server_id, works] : batch.conclusions_by_server)
    write_outcomes(connection, context_.databases.names(server_id), context_.conclude_rules, works, batch.counts);
  for (const Write* write : batch.writes)
    if (write->messages) write->messages(connection, context_.databases.names(write->server_id));
}

void Committer::write_queue_part(sql::Connection& connection, Batch& batch) {
  const sql::Names names = context_.databases.names(batch.any_server());
  const bool claims = std::ranges::any_of(batch.accepts, &AcceptWork::claim);
  static const std::string kNoLease;
  const std::string& lease = claims || !batch.conclusions.empty() ? context_.lease() : kNoLease;
  write_queue(connection, names, batch.all_accepts, lease, system_now());
  write_requests(connection, names, batch.all_conclusions);
  for (const Write* write : batch.writes)
    if (write->queue) write->queue(connection, context_.databases.names(write->server_id));
  const std::size_t missing = write_queue_changes(connection, names, batch.all_conclusions, lease);
  if (missing > 0)
    log::warn("store", "outcomes of messages whose queue rows were not ours any more",
              {{"rows", missing}, {"effect", "the deliveries are recorded; the messages may be sent again"}});
}

void Committer::transact(ConnectionPool& pool, std::string_view database, Batch& batch, const Work& work,
                         const std::function<bool(sql::Connection&)>& committed) {
  const int reconnects = healthy_ ? kReconnects : 1;  // while it is down, say so quickly
  for (int conflicts = 0, losses = 0;;) {
    bool committing = false;
    const auto start = std::chrono::steady_clock::now();
    try {
      auto connection = pool.borrow();
      if (batch.unknown && committed(*connection)) {
        batch.unknown = false;
        return;
      }
      batch.unknown = false;
      for (const auto& [server_id, works] : batch.accepts_by_server)
        for (const AcceptWork* accept : works)
          if (!batch.messages_committed)
            context_.raw_tables.ensure(*connection, context_.databases.names(server_id), server_id, accept->raw_table);
      sql::Transaction transaction(*connection);
      work(*connection);
      committing = true;
      transaction.commit();
      return observe(database, batch.jobs.size(), std::chrono::steady_clock::now() - start);
    } catch (const sql::Failure& failure) {
      if (failure.kind() == sql::FailureKind::Conflict && conflicts < kConflictRepeats) {
        pause_after_conflict(++conflicts);
        continue;
      }
      if (failure.kind() != sql::FailureKind::Unreachable) throw;
      batch.unknown = batch.unknown || committing;
      pool.close_idle();
      if (++losses > reconnects) throw;
      std::this_thread::sleep_for(kReconnectPause * losses);
    }
  }
}

}  // namespace posthaste::store
