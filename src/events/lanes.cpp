#include "events/lanes.h"

#include <algorithm>

namespace posthaste::events {

void WebhookLanes::add(Waiting waiting) {
  Lane& lane = lanes_[waiting.site];
  lane.hooks.insert(waiting.request.webhook_id);
  ++waiting_of_hooks_[waiting.request.webhook_id];
  ++waiting_;
  lane.waiting.push_back(std::move(waiting));
}

std::deque<WebhookLanes::Waiting>::iterator WebhookLanes::choose(Lane& lane) {
  auto best = lane.waiting.end();
  std::size_t fewest = limits_.per_server;
  for (auto at = lane.waiting.begin(); at != lane.waiting.end(); ++at) {
    const auto active = active_of_servers_.find(at->request.server_id);
    const std::size_t count = active == active_of_servers_.end() ? 0 : active->second;
    if (count >= fewest) continue;
    if (at->message && under_way_.contains({at->request.webhook_id, *at->message})) continue;
    best = at;
    fewest = count;
    if (count == 0) break;
  }
  return best;
}

std::optional<WebhookLanes::Waiting> WebhookLanes::next(Breaker::Instant now) {
  if (active_ >= limits_.concurrency || waiting_ == 0) return std::nullopt;
  auto at = lanes_.upper_bound(turn_);
  for (std::size_t looked = 0; looked < lanes_.size(); ++looked, ++at) {
    if (at == lanes_.end()) at = lanes_.begin();
    Lane& lane = at->second;
    if (lane.waiting.empty() || lane.active >= limits_.per_endpoint) continue;
    const auto chosen = choose(lane);
    if (chosen == lane.waiting.end() || !lane.breaker.admit(now)) continue;
    turn_ = at->first;
    Waiting taken = std::move(*chosen);
    lane.waiting.erase(chosen);
    forget(taken.request);
    if (taken.message) under_way_.emplace(taken.request.webhook_id, *taken.message);
    ++active_of_servers_[taken.request.server_id];
    ++lane.active;
    ++active_;
    return taken;
  }
  return std::nullopt;
}

void WebhookLanes::forget(const store::WebhookRequest& request) {
  --waiting_;
  const auto of_hook = waiting_of_hooks_.find(request.webhook_id);
  if (--of_hook->second == 0) waiting_of_hooks_.erase(of_hook);
}

void WebhookLanes::ended(const Waiting& what, std::optional<bool> success, Breaker::Instant now) {
  if (what.message) under_way_.erase({what.request.webhook_id, *what.message});
  const auto of_server = active_of_servers_.find(what.request.server_id);
  if (--of_server->second == 0) active_of_servers_.erase(of_server);
  --active_;
  const auto at = lanes_.find(what.site);
  Lane& lane = at->second;
  --lane.active;
  if (success)
    lane.breaker.note(*success, now);
  else
    lane.breaker.cancel_probe();
  // A lane that has nothing to remember is made anew when it is needed; what the breaker counted goes with it.
  if (lanes_.size() > 1000 && lane.active == 0 && lane.waiting.empty() && !lane.breaker.open()) lanes_.erase(at);
}

std::set<store::Id> WebhookLanes::full() const {
  std::set<store::Id> hooks;
  for (const auto& [hook, count] : waiting_of_hooks_)
    if (count >= limits_.waiting_per_hook) hooks.insert(hook);
  for (const auto& [site, lane] : lanes_)
    if (lane.breaker.open() && (!lane.waiting.empty() || lane.active > 0))
      hooks.insert(lane.hooks.begin(), lane.hooks.end());
  return hooks;
}

std::vector<store::WebhookRequest> WebhookLanes::take_blocked() {
  std::vector<store::WebhookRequest> taken;
  for (auto& [site, lane] : lanes_) {
    if (!lane.breaker.open()) continue;
    while (lane.waiting.size() > 1) {
      forget(lane.waiting.back().request);
      taken.push_back(std::move(lane.waiting.back().request));
      lane.waiting.pop_back();
    }
  }
  return taken;
}

std::vector<store::WebhookRequest> WebhookLanes::take_all() {
  std::vector<store::WebhookRequest> taken;
  for (auto& [site, lane] : lanes_) {
    for (auto& one : lane.waiting) {
      forget(one.request);
      taken.push_back(std::move(one.request));
    }
    lane.waiting.clear();
  }
  return taken;
}

std::size_t WebhookLanes::open_breakers() const {
  return std::size_t(std::ranges::count_if(lanes_, [](const auto& entry) { return entry.second.breaker.open(); }));
}

}  // namespace posthaste::events
