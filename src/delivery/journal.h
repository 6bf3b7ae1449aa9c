// The delivery journal: what is known of messages that a remote host may have taken and the database does not have yet
// (outbound-delivery.md 19.3).
//
// A message that was sent must not be sent again because this process died before the outcome was committed. So each
// attempt leaves up to three records in an append-only file below `<data_path>/journal`:
//
//   D  right before the final dot is sent: which message, to which endpoint
//   E  right after the reply: the whole conclusion
//   C  when the database has committed it
//
// Each is one write(2), not synced: a killed process loses nothing, since what was written is the kernel's. After a
// power failure a record may be missing; the message is then sent again, as it would be without a journal, and its
// Message-ID lets the receiver see that. (The reference syncs E within 5 ms. That buys, for power failures alone, the
// few milliseconds until the commit, and costs a sync for every group of messages; left out on purpose.)
//
// A file is truncated when nothing in it is open. One that grew to 16 MiB under steady load is closed for new attempts
// and removed when its last one is settled. Each process has files of its own and holds a lock on them; files that
// nobody holds are those of a process that died. They are read at start, before anything is claimed, and looked for
// while the process runs, so that a worker's files are settled before others take its messages over (recovery.h).
//
// When the file cannot be written (disk full), mail still goes out; the failure is logged once until it works again.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "delivery/journal_records.h"

namespace posthaste::delivery {

class Journal {
 public:
  // Creates the directory if need be and reads what dead processes left. Unavailable when that is impossible.
  static Result<std::unique_ptr<Journal>> open(const std::string& directory);
  ~Journal();

  // Any thread. The ticket goes with the attempt until settled().
  Ticket sending(const InDoubt& what);
  void outcome(Ticket ticket, const store::Conclusion& conclusion);
  void settled(Ticket ticket);

  std::size_t open_attempts() const;

  // What processes left that are gone; forget_left() removes their files once all of it is in the database.
  // look_for_left() adds those of processes that have died since. One thread at a time.
  const Unsettled& left() const { return left_; }
  Result<> look_for_left();
  void forget_left();

 private:
  struct Segment;
  explicit Journal(std::string directory) : directory_(std::move(directory)) {}
  Result<> begin_segment();
  void append(Segment& segment, const std::string& record);
  void tidy(const std::shared_ptr<Segment>& segment);

  const std::string directory_;
  Unsettled left_;
  std::vector<std::shared_ptr<Segment>> left_files_;  // kept locked until forgotten

  mutable std::mutex mutex_;
  std::shared_ptr<Segment> current_;
  std::unordered_map<Ticket, std::shared_ptr<Segment>> open_;
  Ticket last_ = 0;
  bool failing_ = false;
};

}  // namespace posthaste::delivery
