// The group-committing writer's queues and threads.
//
// Jobs of one lane (a SQLite file, a MariaDB instance) are committed one batch after the other; lanes run side by side
// on a few threads. There is no delay: an idle lane commits what it has at once, and what arrives meanwhile is its next
// batch. Within a lane mail servers take turns, so that one of them cannot fill the batches while others wait.
//
// Jobs that cannot be committed now but must not be lost (conclusions) come back from the commit and are tried again
// after a pause that doubles up to five seconds, or with the next submission.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "store/jobs.h"

namespace posthaste::store {

// Limits of one batch.
struct BatchLimits {
  std::size_t jobs = 256;
  std::size_t rows = 1024;
  std::size_t bytes = 8u << 20;
  std::size_t alone = 1u << 20;  // a job with more bytes gets a transaction of its own
};

// The jobs of one lane that wait, by mail server.
class Waiting {
 public:
  void push(JobPtr job);
  void put_back(std::vector<JobPtr> jobs);  // in front
  std::vector<JobPtr> take(const BatchLimits& limits);
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  bool urgent() const { return accepts_ > 0; }  // somebody waits for the answer

 private:
  std::map<Id, std::deque<JobPtr>> by_server_;
  Id turn_ = 0;  // the mail server that is served first next time
  std::size_t size_ = 0, accepts_ = 0;
};

class Writer {
 public:
  // Commits the jobs, answers those that are settled, returns those to be tried again. Never throws.
  using Commit = std::function<std::vector<JobPtr>(std::vector<JobPtr>)>;

  Writer(std::size_t threads, Commit commit);
  ~Writer();

  // Any thread; never blocks on a database. After close() the job fails at once.
  void submit(Id lane, JobPtr job);
  // Commits what waits, gives every job one last try, fails the rest, ends the threads.
  void close();

 private:
  using Instant = std::chrono::steady_clock::time_point;
  struct Lane {
    Waiting waiting;
    bool busy = false;
    bool listed = false;  // in ready_
    int failures = 0;
    Instant not_before{};      // conclusions wait until then
    std::size_t expected = 0;  // jobs to gather before the next commit, if it comes until
    Instant expected_until{};
  };

  void run();
  Lane* next_lane(std::unique_lock<std::mutex>& lock);
  void gather(Lane& lane, std::unique_lock<std::mutex>& lock);
  bool list(Lane& lane);
  void list_due(Instant now);
  // Returns the jobs to be given up.
  std::vector<JobPtr> settle(Lane& lane, std::vector<JobPtr> again);

  const Commit commit_;
  std::mutex mutex_;
  std::condition_variable wake_, gathered_;
  std::unordered_map<Id, std::unique_ptr<Lane>> lanes_;
  std::deque<Lane*> ready_;
  std::size_t delayed_ = 0;  // lanes that wait for not_before
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace posthaste::store
