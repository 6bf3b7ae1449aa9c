#include "smtp/server/limits.h"

namespace posthaste::smtp::server {

namespace {

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
  const bool idle =
      found->second.connections == 0 && found->second.failures == 0 && found->second.blocked_until == Time{};
  if (!idle) return;
  order_.erase(found->second.used);
  entries_.erase(found);
}

}  // namespace posthaste::smtp::server
