// When each mail server's next queue row becomes due, as far as this process knows. On SQLite every mail server has a
// queue of its own; thanks to these notes the idle ones are not even opened.
#pragma once

#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "store/records.h"

namespace posthaste::store {

class DueNotes {
 public:
  // A row is due at that time, or may be: too early a note costs one look.
  void note(Id server_id, Time due);
  // Mail servers with a row that is due by now, the longest waiting first. Their notes are gone: whoever has looked
  // into the queue notes anew what it left there.
  std::vector<Id> take_due(Time now);
  std::optional<Time> next() const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<Id, Time> due_;
};

}  // namespace posthaste::store
