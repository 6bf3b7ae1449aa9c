#include "delivery/settlement.h"

#include "base/log.h"

namespace posthaste::delivery {

namespace {

std::size_t raw_size(const store::QueuedMessage& message) { return message.raw ? message.raw->size() : 0; }

}  // namespace

Settlement::Settlement(store::Store& store, std::unique_ptr<Journal> journal, BacklogLimits limits)
    : store_(store), state_(std::make_shared<State>(limits)) {
  state_->journal = std::move(journal);
}

void Settlement::took(const store::QueuedMessage& message) {
  state_->backlogs.took(Backlogs::site_of(message));
  state_->raw_bytes += raw_size(message);
}

void Settlement::drop_raw(store::QueuedMessage& message) {
  state_->raw_bytes -= raw_size(message);
  message.raw.reset();
}

void Settlement::forget(const store::QueuedMessage& message) {
  state_->raw_bytes -= raw_size(message);
  state_->backlogs.gone(Backlogs::site_of(message));
}

void Settlement::conclude(const store::QueuedMessage& message, store::Conclusion conclusion,
                          std::optional<Ticket> ticket) {
  state_->raw_bytes -= raw_size(message);
  ++state_->pending;
  if (ticket && state_->journal) state_->journal->outcome(*ticket, conclusion);
  auto done = [state = state_, ticket, server = message.server_id, id = message.message_id,
               site = Backlogs::site_of(message)](Result<> committed) {
    if (committed && ticket && state->journal) state->journal->settled(*ticket);
    if (!committed && committed.error().kind != ErrorKind::Invalid) {  // refused data: the store has said it
      // The row keeps its lease: the journal or the next start's reclaim brings it back, nothing is sent twice before.
      log::error("worker", "cannot store the outcome of a delivery: " + committed.error().text,
                 {{"message", id}, {"server", server}, {"cause", committed.error().cause}});
    }
    --state->pending;
    state->backlogs.gone(site);
  };
  store_.conclude(std::move(conclusion), std::move(done));
}

}  // namespace posthaste::delivery
