// The end of every attempt: its conclusion goes to the store's writer, its journal ticket is closed when the database
// has it, and the room that the message took in memory is free again.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "delivery/backlogs.h"
#include "delivery/journal.h"
#include "store/store.h"

namespace posthaste::delivery {

class Settlement {
  struct State {
    explicit State(BacklogLimits limits) : backlogs(limits) {}
    std::unique_ptr<Journal> journal;  // null: none could be opened
    Backlogs backlogs;
    std::atomic<std::size_t> pending{0}, raw_bytes{0};
  };

 public:
  Settlement(store::Store& store, std::unique_ptr<Journal> journal, BacklogLimits limits);

  // Messages that are held in memory: waiting, worked on, or concluded and not yet committed.
  void took(const store::QueuedMessage& message);
  void drop_raw(store::QueuedMessage& message);  // its bytes are read again when they are needed
  // Given up without a conclusion: the row keeps this process's lease until release_all().
  void forget(const store::QueuedMessage& message);

  // Any thread. With a ticket the outcome is journalled first.
  void conclude(const store::QueuedMessage& message, store::Conclusion conclusion, std::optional<Ticket> ticket = {});

  Journal* journal() { return state_->journal.get(); }
  Backlogs& backlogs() { return state_->backlogs; }
  std::size_t in_memory() const { return state_->backlogs.in_memory(); }
  std::size_t pending() const { return state_->pending; }
  std::size_t raw_bytes() const { return state_->raw_bytes; }

 private:
  store::Store& store_;
  std::shared_ptr<State> state_;  // outlived by callbacks of the store's writer
};

}  // namespace posthaste::delivery
