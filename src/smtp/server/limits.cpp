#include "smtp/server/limits.h"

#include <algorithm>

namespace posthaste::smtp::server {

namespace {

constexpr std::size_t kMaxBlocks = 3;
constexpr auto kBlocksWindow = std::chrono::hours(24);
constexpr auto kTurnedAway = std::chrono::hours(1);

std::string key_of(const IpAddress& ip) { return {reinterpret_cast<const char*>(ip.bytes.data()), ip.v6 ? 8u : 4u}; }

}  // namespace

AddressTable::Entry& AddressTable::entry(const std::string& key) {
  const auto [found, added] = entries_.try_emplace(key);
  if (added) {
    order_.push_front(key);
    found->second.used = order_.begin();
    shrink();
  } else {
    order_.splice(order_.begin(), order_, found->second.used);
  }
  return found->second;
}

// Addresses with open connections stay: their number is bounded by max_connections.
void AddressTable::shrink() {
  for (auto it = order_.end(); entries_.size() > capacity_ && it != order_.begin();) {
    const auto found = entries_.find(*--it);
    if (it == order_.begin() || found->second.connections > 0) continue;
    entries_.erase(found);
    it = order_.erase(it);
  }
}

bool AddressTable::auth_failed(const IpAddress& ip, Time now, const AuthRule& rule) {
  std::lock_guard lock(mutex_);
  Entry& e = entry(key_of(ip));
  if (now - e.window_began > rule.window) {
    e.window_began = now;
    e.failures = 0;
  }
  if (++e.failures < rule.failures) return false;
  e.failures = 0;
  e.blocked_until = now + rule.block;
  if (e.blocks == 0 || now - e.first_block > kBlocksWindow) {
    e.first_block = now;
    e.blocks = 0;
  }
  if (++e.blocks >= kMaxBlocks) {
    e.blocks = 0;
    e.turned_away_until = now + kTurnedAway;
  }
  return true;
}

bool AddressTable::turned_away(const IpAddress& ip, Time now) {
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(key_of(ip));
  return found != entries_.end() && now < found->second.turned_away_until;
}

bool AddressTable::arrive(const IpAddress& ip, Time now, std::size_t per_minute) {
  if (per_minute == 0) return true;
  std::lock_guard lock(mutex_);
  Entry& e = entry(key_of(ip));
  const double burst = std::max(1.0, double(per_minute) / 2);
  const double since = e.arrived == Time{} ? 60.0 : std::max(0.0, to_unix_seconds(now) - to_unix_seconds(e.arrived));
  e.arrivals = std::min(burst, e.arrivals + since * double(per_minute) / 60);
  e.arrived = now;
  if (e.arrivals < 1) return false;
  e.arrivals -= 1;
  return true;
}

bool AddressTable::auth_blocked(const IpAddress& ip, Time now) {
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(key_of(ip));
  return found != entries_.end() && now < found->second.blocked_until;
}

bool AddressTable::connect(const IpAddress& ip, std::size_t limit) {
  std::lock_guard lock(mutex_);
  Entry& e = entry(key_of(ip));
  if (e.connections >= limit) return false;
  ++e.connections;
  return true;
}

void AddressTable::disconnect(const IpAddress& ip) {
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(key_of(ip));
  if (found == entries_.end()) return;
  if (found->second.connections > 0) --found->second.connections;
  const Entry& e = found->second;
  const bool idle = e.connections == 0 && e.failures == 0 && e.blocks == 0 && e.arrived == Time{} &&
                    e.blocked_until == Time{} && e.turned_away_until == Time{};
  if (!idle) return;
  order_.erase(found->second.used);
  entries_.erase(found);
}

bool CredentialTable::connect(std::int64_t credential, std::size_t limit) {
  std::lock_guard lock(mutex_);
  std::size_t& count = connections_[credential];
  if (count >= limit) return false;
  ++count;
  return true;
}

void CredentialTable::disconnect(std::int64_t credential) {
  std::lock_guard lock(mutex_);
  const auto found = connections_.find(credential);
  if (found != connections_.end() && --found->second == 0) connections_.erase(found);
}

}  // namespace posthaste::smtp::server
