// The short way from acceptance to delivery inside one process: rows that are inserted under our own lease go to the
// worker in memory, after they were committed. The table stays the truth.
#pragma once

#include <vector>

#include "store/messages.h"

namespace posthaste::store {

class LocalWorker {
 public:
  virtual ~LocalWorker() = default;
  // Whether these, whose ids are not known yet, would be taken now; false: they are inserted unclaimed and found by a
  // claim later.
  virtual bool wants(const std::vector<QueuedMessage>& messages) const = 0;
  // Messages that are committed under this node's lease. From any thread.
  virtual void hand_over(std::vector<QueuedMessage> messages) = 0;
};

}  // namespace posthaste::store
