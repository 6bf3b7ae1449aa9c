// Jobs of one lane: each mail server's in order of arrival, the mail servers in turn. One tenant's bulk does not hold
// up another's receipt, however much of it waits.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "store/records.h"

namespace posthaste::delivery {

template <class Job>
class FairQueue {
 public:
  void push(store::Id server, Job job) {
    auto& mine = by_server_[server];
    if (mine.empty()) turns_.push_back(server);
    mine.push_back(std::move(job));
    ++size_;
  }

  // In front of the others of its mail server, and that server next: for a job that was taken and could not be worked
  // on.
  void push_front(store::Id server, Job job) {
    auto& mine = by_server_[server];
    if (mine.empty()) turns_.push_front(server);
    mine.push_front(std::move(job));
    ++size_;
  }

  std::optional<Job> pop() {
    if (turns_.empty()) return std::nullopt;
    const store::Id server = turns_.front();
    turns_.pop_front();
    auto at = by_server_.find(server);
    Job job = std::move(at->second.front());
    at->second.pop_front();
    if (at->second.empty()) {
      by_server_.erase(at);
    } else {
      turns_.push_back(server);
    }
    --size_;
    return job;
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  std::map<store::Id, std::deque<Job>> by_server_;
  std::deque<store::Id> turns_;
  std::size_t size_ = 0;
};

}  // namespace posthaste::delivery
