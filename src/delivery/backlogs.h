// How many messages of each site this process holds in memory, and which sites have enough for now: theirs are neither
// claimed nor handed over until half of them have gone.
//
// A site may take an eighth of what is free of the window, up to its limit: however many sites are slow, there is room
// for the messages to others.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "store/messages.h"

namespace posthaste::delivery {

struct BacklogLimits {
  std::size_t window = 20000;  // messages of all sites
  std::size_t site = 2000;
};

// Any thread.
class Backlogs {
 public:
  explicit Backlogs(BacklogLimits limits) : limits_(limits) {}

  static store::Site site_of(const store::QueuedMessage& message);
  void took(const store::Site& site);
  void gone(const store::Site& site);

  std::size_t in_memory() const;
  // How many messages may be claimed at once.
  std::size_t room() const;
  std::vector<store::Site> full();
  bool takes(const std::vector<store::QueuedMessage>& messages) const;

  // Called when a site that was full has room again; must not block, nor call anything here. Empty: nobody is told.
  void when_room(std::function<void()> tell);

 private:
  struct Backlog {
    std::size_t count = 0;
    bool full = false;
  };
  std::size_t limit() const;

  const BacklogLimits limits_;
  mutable std::mutex mutex_;
  std::map<store::Site, Backlog> sites_;
  std::size_t total_ = 0;
  std::function<void()> tell_;
};

}  // namespace posthaste::delivery
