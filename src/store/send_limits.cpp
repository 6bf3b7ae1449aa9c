// servers.send_limit_approaching_at and send_limit_exceeded_at, of which at most one is set. Postal writes them for
// every message; whoever tells people looks back three minutes (outbound-delivery.md 8.2), so once a minute will do.
#include "store/store_impl.h"

namespace posthaste::store {

namespace {

constexpr auto kRefresh = std::chrono::minutes(1);

}  // namespace

void StoreImpl::note_send_limit(Id server_id, SendLimitState state, Time now) {
  const std::scoped_lock lock(notes_mutex_);
  send_limits_noted_[server_id] = {state, now};
}

void StoreImpl::flush_send_limits() {
  std::map<Id, SendLimitNote> due;
  {
    const std::scoped_lock lock(notes_mutex_);
    for (const auto& [id, note] : send_limits_noted_) {
      const auto written = send_limits_written_.find(id);
      const bool same = written != send_limits_written_.end() && written->second.state == note.state;
      const bool fresh = same && (note.state == SendLimitState::Below || note.when - written->second.when < kRefresh);
      if (!fresh) due.emplace(id, note);
    }
  }
  if (due.empty()) return;
  in_transaction(*databases_->main().write, [&](sql::Connection& connection) {
    for (const auto& [id, note] : due) {
      const auto when = [&](SendLimitState state) {
        return note.state == state ? sql::Value(sql::DateTime{note.when}) : sql::Value(sql::Null{});
      };
      connection.run(sql::bind_names("UPDATE {main}`servers` SET send_limit_approaching_at = ?, "
                                     "send_limit_exceeded_at = ? WHERE id = ?",
                                     databases_->names(0)),
                     {when(SendLimitState::Approaching), when(SendLimitState::Exceeded), id});
    }
  });
  const std::scoped_lock lock(notes_mutex_);
  for (const auto& [id, note] : due) send_limits_written_[id] = note;
}

}  // namespace posthaste::store
