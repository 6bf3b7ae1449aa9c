// What follows a commit, or its failure.
#include "base/log.h"
#include "store/batch.h"

namespace posthaste::store {

namespace {

using sql::FailureKind;

// A failure that nobody foresaw is tried again for some minutes before an outcome is given up.
constexpr int kMostAttempts = 60;

Error error_for_peer(const sql::Failure& failure) {
  switch (failure.kind()) {
    case FailureKind::Data:
      return {ErrorKind::Invalid, "The message cannot be stored.", failure.what()};
    case FailureKind::TooLarge:
      return {ErrorKind::Invalid, "The message is larger than the database takes.", failure.what()};
    case FailureKind::Full:
      return {ErrorKind::Limit, "There is no space left to store messages.", failure.what()};
    case FailureKind::Broken:
      return {ErrorKind::Internal, "The message could not be stored.", failure.what()};
    default:
      return {ErrorKind::Unavailable, "The database is not available.", failure.what()};
  }
}

// Failures that one job of many may have caused.
bool may_be_one_jobs_fault(FailureKind kind) {
  return kind == FailureKind::Data || kind == FailureKind::TooLarge || kind == FailureKind::Duplicate ||
         kind == FailureKind::MissingTable || kind == FailureKind::Broken;
}

// Whether an outcome that failed so can ever be written.
bool hopeless(FailureKind kind, int attempts) {
  if (kind == FailureKind::Data || kind == FailureKind::TooLarge) return true;
  return may_be_one_jobs_fault(kind) && attempts >= kMostAttempts;
}

void log_refused(const Job& job, const sql::Failure& failure, std::string_view effect) {
  const Conclusion& c = std::get<ConcludeJob>(job.what).conclusion;
  log::error("store", "the database refuses the outcome of an attempt",
             {{"server", c.server_id},
              {"message", c.message_id},
              {"status", c.delivery ? c.delivery->status : ""},
              {"effect", effect},
              {"error", failure.what()}});
}

Stored stored(const AcceptWork& work) {
  Stored result;
  const auto& messages = work.submission->messages;
  result.messages.reserve(messages.size());
  for (std::size_t i = 0; i < messages.size(); ++i)
    result.messages.push_back({work.message_ids[i], work.queue_ids[i], messages[i].token});
  return result;
}

}  // namespace

bool Committer::messages_are_there(sql::Connection& connection, const Batch& batch) {
  const auto names = [&](Id server_id) { return context_.databases.names(server_id); };
  for (const AcceptWork* work : batch.all_accepts) {
    const Submission& submission = *work->submission;
    if (submission.messages.empty() || work->message_ids.empty()) continue;
    return connection
        .scalar(sql::bind_names("SELECT 1 FROM {message}`messages` WHERE token = ? AND id = ?",
                                names(submission.server_id)),
                {std::string_view(submission.messages.front().token), work->message_ids.front()})
        .has_value();
  }
  for (const ConcludeWork* work : batch.all_conclusions) {
    const Conclusion& c = *work->conclusion;
    if (!c.delivery || work->recorded_before) continue;
    return connection
        .scalar(sql::bind_names("SELECT 1 FROM {message}`deliveries` WHERE message_id = ? AND timestamp = ? AND status "
                                "= ? LIMIT 1",
                                names(c.server_id)),
                {c.message_id, sql::UnixTime{c.delivery->timestamp}, std::string_view(c.delivery->status)})
        .has_value();
  }
  return false;  // nothing but changes of our own queue rows: they may be repeated
}

bool Committer::queue_rows_are_there(sql::Connection& connection, const Batch& batch) {
  for (const AcceptWork* work : batch.all_accepts) {
    if (work->message_ids.empty() || work->queue_ids.empty()) continue;
    return connection
        .scalar(
            sql::bind_names("SELECT 1 FROM {queue}`queued_messages` WHERE id = ? AND server_id = ? AND message_id = ?",
                            context_.databases.names(work->submission->server_id)),
            {work->queue_ids.front(), work->submission->server_id, work->message_ids.front()})
        .has_value();
  }
  return false;
}

void Committer::finish(Batch& batch) {
  if (context_.databases.sqlite()) batch.counts = {};  // written with the batch
  context_.tally.add(batch.counts, batch.totals);
  for (const AcceptWork& work : batch.accepts) {
    if (work.claim)
      context_.note_leased(work.submission->server_id);
    else
      context_.note_due(work.submission->server_id, Time{});
  }
  for (const ConcludeWork& work : batch.conclusions) {
    const Conclusion& c = *work.conclusion;
    if (c.queue == QueueChange::Keep) context_.note_due(c.server_id, Time{});
    if (c.queue == QueueChange::Retry || c.queue == QueueChange::Wait)
      context_.note_due(c.server_id, c.retry_at.value_or(Time{}));
  }
  for (const ConcludeWork& work : batch.conclusions)
    if (!work.conclusion->requests.empty()) context_.note_requests(work.conclusion->server_id);
  for (const Write* write : batch.writes)
    if (write->queue && write->may_add_requests) context_.note_requests(write->server_id);
  auto work = batch.accepts.begin();
  for (const JobPtr& job : batch.jobs) {
    if (auto* accept = std::get_if<AcceptJob>(&job->what))
      accept->done(stored(*work++));
    else if (auto* write = std::get_if<WriteJob>(&job->what))
      write->done({});
    else
      std::get<ConcludeJob>(job->what).done({});
  }
}

std::vector<JobPtr> Committer::after_failure(Batch& batch, const sql::Failure& failure) {
  const bool whole_database = !may_be_one_jobs_fault(failure.kind());
  if (whole_database) {
    const bool first = healthy_.exchange(false);
    if (failure.kind() == FailureKind::Unreachable)
      context_.note_gone(failure);
    else if (first)
      log::error("store", "messages cannot be written", {{"error", failure.what()}, {"jobs", batch.jobs.size()}});
  } else {
    if (batch.jobs.size() > 1 && !batch.messages_committed) return split(batch);
    const bool said_below = std::ranges::all_of(
        batch.jobs, [&](const JobPtr& job) { return job->concludes() && hopeless(failure.kind(), job->attempts); });
    if (!said_below)
      log::error("store", "a message cannot be written",
                 {{"server_id", batch.any_server()}, {"jobs", batch.jobs.size()}, {"error", failure.what()}});
  }
  if (batch.unknown || batch.messages_committed) remove_messages(batch);
  return give_back_or_fail(batch, failure);
}

std::vector<JobPtr> Committer::split(Batch& batch) {
  const auto middle = batch.jobs.begin() + std::ptrdiff_t(batch.jobs.size() / 2);
  std::vector<JobPtr> first(std::make_move_iterator(batch.jobs.begin()), std::make_move_iterator(middle));
  std::vector<JobPtr> second(std::make_move_iterator(middle), std::make_move_iterator(batch.jobs.end()));
  std::vector<JobPtr> again = commit(std::move(first));
  std::ranges::move(commit(std::move(second)), std::back_inserter(again));
  return again;
}

// Messages that may be there although their submission is refused. Those whose transaction was cut off are looked for
// later; those without their queue rows can go at once.
void Committer::remove_messages(Batch& batch) noexcept {
  try {
    for (const auto& [server_id, works] : batch.accepts_by_server) {
      std::vector<std::string> tokens;
      for (const AcceptWork* work : works)
        for (const NewMessage& message : work->submission->messages) tokens.push_back(message.token);
      context_.note_unsettled(server_id, std::move(tokens));
    }
  } catch (const std::exception& error) {
    log::error("store", "refused messages may stay in the tables", {{"error", error.what()}});
  }
}

std::vector<JobPtr> Committer::commit_bare(JobPtr job, const sql::Failure& failure) {
  log_refused(*job, failure, "it is recorded without output, headers, tag, suppression, inspection and webhooks");
  auto& conclusion = std::get<ConcludeJob>(job->what).conclusion;
  conclusion = bare(conclusion);
  job->bare = true;
  std::vector<JobPtr> alone;
  alone.push_back(std::move(job));
  return commit(std::move(alone));
}

std::vector<JobPtr> Committer::give_back_or_fail(Batch& batch, const sql::Failure& failure) {
  const Error error = error_for_peer(failure);
  std::vector<JobPtr> again;
  for (JobPtr& job : batch.jobs) {
    if (!job->accepts() && !hopeless(failure.kind(), job->attempts)) {
      again.push_back(std::move(job));
      continue;
    }
    if (job->concludes() && !job->bare) {
      std::ranges::move(commit_bare(std::move(job), failure), std::back_inserter(again));
      continue;
    }
    if (job->concludes()) log_refused(*job, failure, "the message stays in the queue and may be sent again");
    fail_job(*job, error);
  }
  return again;
}

}  // namespace posthaste::store
