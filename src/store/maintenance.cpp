// What is written apart from mail, about once a second: counters, last use of credentials; and looking after the
// databases' health.
#include "base/log.h"
#include "store/store_impl.h"

namespace posthaste::store {

namespace {

constexpr auto kBeat = std::chrono::milliseconds(100);  // logs grow by tens of megabytes a second
constexpr unsigned kBeatsPerRound = 10;
constexpr unsigned kTotalsEvery = 10;  // rounds
constexpr int kIdleBeats = 50;
constexpr auto kLastUsedPause = std::chrono::minutes(1);
constexpr std::size_t kMostUnsettled = 100'000;

void attempt(std::string_view what, const std::function<void()>& task) {
  try {
    task();
  } catch (const std::exception& error) {
    if (sql::unreachable(error)) return;  // the probe tells
    log::warn("store", what, {{"error", error.what()}});
  }
}

}  // namespace

void StoreImpl::maintain() {
  std::unique_lock lock(stop_mutex_);
  for (unsigned beat = 1;; ++beat) {
    const bool last = stop_.wait_for(lock, kBeat, [&] { return stopping_; });
    lock.unlock();
    if (last || beat % kBeatsPerRound == 0) maintain_once(beat / kBeatsPerRound, last);
    attempt("write-ahead log could not be moved into the file", [&] { checkpoint(last); });
    lock.lock();
    if (last) return;
  }
}

void StoreImpl::maintain_once(unsigned round, bool last) {
  probe();
  if (!reachable_ && !last) return;  // what is in memory waits
  attempt("statistics could not be written", [&] { flush_counts(); });
  attempt("live statistics could not be written", [&] { live_stats_.flush(); });
  attempt("last use of credentials and endpoints could not be written", [&] { flush_last_used(last); });
  attempt("last use of webhooks could not be written", [&] { requests_.flush_used(); });
  attempt("the state of send limits could not be written", [&] { flush_send_limits(); });
  attempt("messages of a cut-off transaction could not be looked for", [&] { settle_unsettled(); });
  attempt("messages that wait for a removed source address could not be freed", [&] { free_lost_sources(); });
  if (last || round % kTotalsEvery == 0) attempt("totals could not be written", [&] { flush_totals(); });
}

// On SQLite there is nothing here: a batch writes its own.
void StoreImpl::flush_counts() {
  const Counts counts = tally_.take_counts();
  if (counts.empty()) return;
  try {
    in_transaction(*databases_->messages(0).write, [&](sql::Connection& connection) {
      counts.write(connection, [&](Id server_id) { return databases_->names(server_id); });
    });
  } catch (const sql::Failure& failure) {
    // A mail server that is gone must not hold up the others for ever.
    if (failure.kind() != sql::FailureKind::MissingTable) tally_.add(counts, {});
    throw;
  }
}

void StoreImpl::flush_totals() {
  const Totals totals = tally_.take_totals();
  if (totals.empty()) return;
  try {
    in_transaction(*databases_->main().write,
                   [&](sql::Connection& connection) { totals.write(connection, databases_->names(0)); });
  } catch (const sql::Failure&) {
    tally_.add({}, totals);
    throw;
  }
}

void StoreImpl::note_used(UsedRow row, Time when) {
  const std::scoped_lock lock(notes_mutex_);
  Time& last = used_[row];
  last = std::max(last, when);
}

void StoreImpl::note_credential_used(Id credential_id, Time when) { note_used({"credentials", credential_id}, when); }

void StoreImpl::note_endpoint_used(std::string_view type, Id endpoint_id, Time when) {
  if (type == "SMTPEndpoint") note_used({"smtp_endpoints", endpoint_id}, when);
  if (type == "HTTPEndpoint") note_used({"http_endpoints", endpoint_id}, when);
  if (type == "AddressEndpoint") note_used({"address_endpoints", endpoint_id}, when);
}

void StoreImpl::flush_last_used(bool all) {
  std::vector<std::pair<UsedRow, Time>> due;
  {
    const std::scoped_lock lock(notes_mutex_);
    for (auto at = used_.begin(); at != used_.end();) {
      const auto written = used_written_.find(at->first);
      const bool now = all || written == used_written_.end() || at->second - written->second >= kLastUsedPause;
      if (now) due.push_back(*at);
      at = now ? used_.erase(at) : std::next(at);
    }
  }
  if (due.empty()) return;
  try {
    in_transaction(*databases_->main().write, [&](sql::Connection& connection) {
      for (const auto& [row, when] : due)
        connection.run(sql::bind_names(fmt::format("UPDATE {{main}}`{}` SET last_used_at = ? WHERE id = ?", row.first),
                                       databases_->names(0)),
                       {sql::DateTime{when}, row.second});
    });
  } catch (const sql::Failure&) {
    for (const auto& [row, when] : due) note_used(row, when);
    throw;
  }
  const std::scoped_lock lock(notes_mutex_);
  for (const auto& [row, when] : due) used_written_[row] = when;
}

void StoreImpl::note_unsettled(Id server_id, std::vector<std::string> tokens) {
  const std::scoped_lock lock(notes_mutex_);
  if (unsettled_.size() + tokens.size() > kMostUnsettled) {
    log::error("store", "too many messages of cut-off transactions; some may stay locked until the next start",
               {{"server_id", server_id}, {"messages", tokens.size()}});
    return;
  }
  for (std::string& token : tokens) unsettled_.emplace_back(server_id, std::move(token));
}

void StoreImpl::settle_unsettled() {
  std::vector<std::pair<Id, std::string>> todo;
  {
    const std::scoped_lock lock(notes_mutex_);
    todo = unsettled_;
  }
  for (std::size_t done = 0; done < todo.size(); ++done) {
    settle_unsettled(todo[done].first, todo[done].second);
    const std::scoped_lock lock(notes_mutex_);
    std::erase(unsettled_, todo[done]);
  }
}

// The sender was told to come again. A message that is complete all the same is delivered: rather twice than never. One
// without its queue row was never accepted.
void StoreImpl::settle_unsettled(Id server_id, const std::string& token) {
  const sql::Names names = databases_->names(server_id);
  const Place messages = databases_->messages(server_id), queue = databases_->queue(server_id);
  std::optional<Id> message_id;
  with_connection(*messages.read, [&](sql::Connection& connection) {
    message_id = connection.scalar(
        sql::bind_names("SELECT id FROM {message}`messages` WHERE token = ? AND status = 'Pending'", names),
        {std::string_view(token)});
  });
  if (!message_id) return;
  bool queued = false;
  in_transaction(*queue.write, [&](sql::Connection& connection) {
    queued = connection
                 .scalar(sql::bind_names(
                             "SELECT 1 FROM {queue}`queued_messages` WHERE server_id = ? AND message_id = ?", names),
                         {server_id, *message_id})
                 .has_value();
    if (queued && lease_.taken())
      connection.run(sql::bind_names("UPDATE {queue}`queued_messages` SET locked_by = NULL, locked_at = NULL WHERE "
                                     "server_id = ? AND message_id = ? AND locked_by = ?",
                                     names),
                     {server_id, *message_id, std::string_view(lease_.text())});
  });
  if (databases_->sqlite()) due_.note(server_id, Time{});
  if (queued) return;
  in_transaction(*messages.write, [&](sql::Connection& connection) {
    connection.run(sql::bind_names("DELETE FROM {message}`messages` WHERE id = ? AND status = 'Pending'", names),
                   {*message_id});
  });
}

void StoreImpl::probe() {
  try {
    const auto ask = [](sql::Connection& connection) { connection.scalar("SELECT 1"); };
    with_connection(*databases_->main().read, ask);
    if (!databases_->together()) with_connection(*databases_->messages(0).read, ask);
    if (!reachable_.exchange(true)) log::info("store", "the database is back");
  } catch (const sql::Failure& failure) {
    note_gone(failure);
  }
}

// Whoever else meets the loss keeps quiet: one line when it goes, one when it is back.
void StoreImpl::note_gone(const sql::Failure& failure) {
  if (reachable_.exchange(false))
    log::error("store", "the database is gone; mail is refused for now and deliveries wait",
               {{"error", failure.what()}});
}

void StoreImpl::checkpoint(bool last) {
  const std::uint64_t writes = writes_;
  idle_beats_ = writes == checkpointed_writes_ ? idle_beats_ + 1 : 0;
  checkpointed_writes_ = writes;
  const bool idle = last || idle_beats_ == kIdleBeats;
  if (idle || idle_beats_ == 0) databases_->checkpoint(idle);
}

}  // namespace posthaste::store
