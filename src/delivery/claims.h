// Takes due messages from the table, in blocks, whenever there is room for them. Those of sites that have enough wait
// there.
//
// When nothing is due it looks again when the next row becomes due, at the latest after a second: other processes
// insert rows and change due times without a word. After a find it looks again after 50 ms, doubling up to the second.
// While the database is away it asks less and less often, and says so once.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "delivery/lanes.h"
#include "io/loop.h"

namespace posthaste::delivery {

class Claims {
 public:
  using Take = std::function<void(std::vector<store::QueuedMessage>)>;  // on the loop
  Claims(io::Loop& loop, std::shared_ptr<Shared> shared, Take take)
      : loop_(loop), shared_(std::move(shared)), take_(std::move(take)) {}

  void start();
  void wake();  // any thread
  bool running() const { return running_; }

 private:
  struct Found {
    std::vector<store::QueuedMessage> messages;
    std::optional<Time> next_due;
  };
  io::Task<> run();
  io::Task<> timer(std::uint64_t turn, Duration duration);
  io::Task<> rest(Duration duration);
  io::Task<bool> look();
  Duration pause(bool found_some);

  io::Loop& loop_;
  const std::shared_ptr<Shared> shared_;
  const Take take_;
  std::atomic<bool> woken_{false}, running_{false};
  std::function<void()> resume_;  // while resting
  std::uint64_t turn_ = 0;
  std::optional<Time> next_due_;
  Duration quiet_ = std::chrono::milliseconds(50);
  int failures_ = 0;
  bool reported_ = false;  // in the log
  Steady::time_point claim_anyway_{};
};

// The ids of the source addresses that this host has.
std::vector<store::Id> local_ip_ids(const store::Directory& directory);

}  // namespace posthaste::delivery
