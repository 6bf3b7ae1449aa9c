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
#include "policy/retry.h"

namespace posthaste::delivery {

using Steady = std::chrono::steady_clock;

struct Lane {
  LaneKey key;
  FairQueue<Job> waiting;                      // nothing was read for them yet
  std::size_t preparing = 0;                   // steps before `send` run
  std::size_t inspecting = 0;                  // with the scanners, or waiting for them
  std::deque<std::shared_ptr<Attempt>> ready;  // wait for a connection
  std::deque<std::shared_ptr<Attempt>> moved;  // their connection broke: wait for one that is new
  Steady::time_point ready_since{};            // when the first of `ready` began to wait

  struct Idle {
    std::unique_ptr<smtp::client::Connection> connection;
    Steady::time_point since;
  };
  std::deque<Idle> idle;
  std::size_t granted = 0;      // idle connections that were told to take one and have not begun
  std::size_t connections = 0;  // open or being opened; of an HTTP endpoint: requests under way
  bool connecting = false;
  Steady::time_point no_more_until{};  // a connection beside working ones was refused

  std::uint64_t arrivals = 0;
  // The last round of connecting, or request, came to nothing: who had arrived by then shares its outcome, or waits.
  std::optional<ConnectFailure> failure;
  std::optional<policy::Verdict> no_answer;  // of an HTTP endpoint
  std::uint64_t failed_up_to = 0;
  int failures = 0;                   // in a row
  Steady::time_point paused_until{};  // for incoming messages that have not been tried yet
  std::size_t width = 1;              // requests to an HTTP endpoint at the same time; grows as it answers

  std::size_t backlog() const { return waiting.size() + preparing + inspecting + ready.size() + moved.size(); }
  bool failed(const Attempt& attempt) const { return (failure || no_answer) && attempt.job.arrival <= failed_up_to; }
  bool empty() const { return backlog() == 0 && connections == 0; }
};

// A place that could not be reached again and again: how long incoming messages stay away from it.
void note_failure(Lane& lane, Steady::time_point now);
void note_success(Lane& lane);

// Nobody was there, which says nothing about an incoming message that only waited beside the one that was tried: it is
// put off, attempts unchanged, but not for longer than after a failure of its own. Then it shares the outcome, so that
// its sender hears of a dead endpoint in time. Nothing: it shares it now.
std::optional<Duration> put_off_for(const Lane& lane, const Attempt& attempt, const policy::RetryPlan& plan, Time now,
                                    Steady::time_point steady_now, double chance);

// Whether one more connection is worth opening: the first one always; further ones when ten messages wait for each that
// is open, or when one has waited for a second because all are busy.
bool wants_connection(const Lane& lane, std::size_t limit, Steady::time_point now);

// How many messages to have prepared in advance: few, so that their bodies need not be in memory.
std::size_t prefetch(const Lane& lane);

// Takes the next attempt for a connection. Those that were moved go to new connections only (nothing sent over them
// yet), and those that want HELO to a connection that was opened for that, which takes no others.
std::shared_ptr<Attempt> take_for(Lane& lane, bool new_connection, bool helo_only);

// Takes out those that were not tried yet while the place is given a pause.
std::vector<std::shared_ptr<Attempt>> take_paused(Lane& lane, Steady::time_point now);

// Takes out all whose round of connecting has failed.
std::vector<std::shared_ptr<Attempt>> take_failed(Lane& lane);

}  // namespace posthaste::delivery
