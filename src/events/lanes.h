// Which of the claimed requests is made next. Pure: no clock, no network; part of the dispatcher.
//
// A lane for each endpoint, in turn. In a lane the mail server with the fewest requests under way comes first, within
// it the oldest request; a later event of a message waits while an earlier one to the same webhook is under way.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "events/breaker.h"
#include "store/webhook_queue.h"

namespace posthaste::events {

struct LaneLimits {
  std::size_t concurrency = 256, per_endpoint = 8, per_server = 32, waiting_per_hook = 100;
};

class WebhookLanes {
 public:
  explicit WebhookLanes(LaneLimits limits) : limits_(limits) {}

  struct Waiting {
    store::WebhookRequest request;
    std::string site;                  // of its URL
    std::optional<store::Id> message;  // that it speaks of
  };

  void add(Waiting waiting);
  // The next one, now under way; nothing while all must wait.
  std::optional<Waiting> next(Breaker::Instant now);
  // It ended. `success`: what it says of the endpoint; nothing if nothing.
  void ended(const Waiting& what, std::optional<bool> success, Breaker::Instant now);

  // Webhooks of which no more should be claimed: enough wait, or the endpoint's breaker is open.
  std::set<store::Id> full() const;
  // What waits for open breakers, but for one each: it is better off in the table.
  std::vector<store::WebhookRequest> take_blocked();
  std::vector<store::WebhookRequest> take_all();

  std::size_t waiting() const { return waiting_; }
  std::size_t active() const { return active_; }
  std::size_t open_breakers() const;

 private:
  using Key = std::pair<store::Id, store::Id>;  // webhook and message
  struct Lane {
    std::deque<Waiting> waiting;
    std::size_t active = 0;
    Breaker breaker;
    std::set<store::Id> hooks;  // that have had requests here
  };

  std::deque<Waiting>::iterator choose(Lane& lane);
  void forget(const store::WebhookRequest& request);

  const LaneLimits limits_;
  std::map<std::string, Lane> lanes_;
  std::string turn_;  // the lane that was served last
  std::map<store::Id, std::size_t> active_of_servers_, waiting_of_hooks_;
  std::set<Key> under_way_;
  std::size_t waiting_ = 0, active_ = 0;
};

}  // namespace posthaste::events
