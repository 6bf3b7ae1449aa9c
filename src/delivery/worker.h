// Delivery: takes queued messages, decides what becomes of them, and concludes each attempt.
//
// The queue is a schedule. Messages come from acceptance in this process (hand_over) or are claimed from the table in
// blocks; they wait in lanes, one per place they go to and source address, each with its own limit of connections, so
// that a slow site holds up its own lane only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "config/config.h"
#include "delivery/http_sender.h"
#include "io/loop.h"
#include "io/pool.h"
#include "io/resolver.h"
#include "store/hand_over.h"
#include "store/store.h"

namespace posthaste::delivery {

struct WorkerOptions {
  Clock clock = system_now;
  std::size_t window = 20000;         // messages held in memory at most
  std::size_t lane_backlog = 2000;    // of them for one site; more wait in the table and hold up nobody else's
  std::size_t lane_connections = 20;  // per lane
  std::size_t connections = 1000;     // of all lanes, open or being opened: each is a file descriptor
  std::size_t messages_per_connection = 100;
  std::size_t posts = 256;  // to HTTP endpoints at the same time
  bool claims = true;       // false: only what is handed over (tests)
};

class Worker : public store::LocalWorker {
 public:
  // Without `post`, messages for HTTP endpoints wait.
  static std::unique_ptr<Worker> make(store::Store& store, const config::Config& config, io::Resolver& resolver,
                                      io::Runtime& runtime, io::Pool& pool, WorkerOptions options = {},
                                      PostToEndpoint post = {});

  // Settles what an earlier run left in doubt (journal), frees dead leases, starts claiming.
  virtual void start() = 0;
  // Something in the queue became due by a person's hand: claim now. Any thread.
  virtual void wake() = 0;
  // No new attempts; conversations past DATA may finish until the grace ends, the others are cut; leases return.
  virtual io::Task<> stop(Duration grace) = 0;

  struct Numbers {
    std::size_t in_memory = 0, lanes = 0, connections = 0;
  };
  virtual Numbers numbers() const = 0;
};

}  // namespace posthaste::delivery
