// One lane: the messages for one place from one source address, and the connections to it. A plain record without
// behaviour beyond its own bookkeeping; lanes.h drives it.
#pragma once

#include <chrono>
#include <deque>
#include <list>
#include <memory>
#include <string>

#include "delivery/attempt.h"
#include "delivery/fair_queue.h"

namespace posthaste::delivery {

using Steady = std::chrono::steady_clock;

struct Lane {
  LaneKey key;
  FairQueue<Job> waiting;                      // nothing was read for them yet
  std::size_t preparing = 0;                   // steps before `send` run
  std::deque<std::shared_ptr<Attempt>> ready;  // wait for a connection
  std::deque<std::shared_ptr<Attempt>> moved;  // their connection broke: wait for one that is new
  Steady::time_point ready_since{};            // when the first of `ready` began to wait

  struct Idle {
    std::unique_ptr<smtp::client::Connection> connection;
    Steady::time_point since;
  };
  std::deque<Idle> idle;
  std::size_t granted = 0;      // idle connections that were told to take one and have not begun
  std::size_t connections = 0;  // open or being opened
  bool connecting = false;
  Steady::time_point no_more_until{};  // a connection beside working ones was refused

  std::uint64_t arrivals = 0;
  // The last round of connecting failed: who had arrived by then shares its outcome.
  std::optional<ConnectFailure> failure;
  std::uint64_t failed_up_to = 0;

  std::size_t backlog() const { return waiting.size() + preparing + ready.size() + moved.size(); }
  bool failed(const Attempt& attempt) const { return failure && attempt.job.arrival <= failed_up_to; }
  bool empty() const { return backlog() == 0 && connections == 0; }
};

// Whether one more connection is worth opening: the first one always; further ones when ten messages wait for each that
// is open, or when one has waited for a second because all are busy.
bool wants_connection(const Lane& lane, std::size_t limit, Steady::time_point now);

// How many messages to have prepared in advance: few, so that their bodies need not be in memory.
std::size_t prefetch(const Lane& lane);

// Takes the next attempt for a connection. Those that were moved go to new connections only (nothing sent over them
// yet), and those that want HELO to a connection that was opened for that, which takes no others.
std::shared_ptr<Attempt> take_for(Lane& lane, bool new_connection, bool helo_only);

// Takes out all whose round of connecting has failed.
std::vector<std::shared_ptr<Attempt>> take_failed(Lane& lane);

}  // namespace posthaste::delivery
