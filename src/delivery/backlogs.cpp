#include "delivery/backlogs.h"

#include <algorithm>

#include "base/strings.h"

namespace posthaste::delivery {

namespace {

constexpr std::size_t kShare = 8;
constexpr std::size_t kLeast = 1;

}  // namespace

store::Site Backlogs::site_of(const store::QueuedMessage& message) {
  return {to_lower(message.domain), message.ip_address_id};
}

std::size_t Backlogs::limit() const {
  const std::size_t free = limits_.window - std::min(limits_.window, total_);
  return std::min(limits_.site, std::max(kLeast, free / kShare));
}

void Backlogs::took(const store::Site& site) {
  const std::scoped_lock lock(mutex_);
  ++sites_[site].count;
  ++total_;
}

void Backlogs::gone(const store::Site& site) {
  const std::scoped_lock lock(mutex_);
  const auto at = sites_.find(site);
  --total_;
  const std::size_t left = --at->second.count;
  const bool has_room = at->second.full && left <= limit() / 2;
  if (has_room) at->second.full = false;
  if (left == 0) sites_.erase(at);
  if (has_room && tell_) tell_();
}

std::size_t Backlogs::in_memory() const {
  const std::scoped_lock lock(mutex_);
  return total_;
}

std::size_t Backlogs::room() const {
  const std::scoped_lock lock(mutex_);
  if (total_ >= limits_.window) return 0;
  return std::max<std::size_t>(1, (limits_.window - total_) / kShare);
}

std::vector<store::Site> Backlogs::full() {
  const std::scoped_lock lock(mutex_);
  const std::size_t most = limit();
  std::vector<store::Site> full;
  for (auto& [site, backlog] : sites_) {
    backlog.full = backlog.count >= most || (backlog.full && backlog.count > most / 2);
    if (backlog.full) full.push_back(site);
  }
  return full;
}

bool Backlogs::takes(const std::vector<store::QueuedMessage>& messages) const {
  const std::scoped_lock lock(mutex_);
  if (total_ + messages.size() > limits_.window) return false;
  const std::size_t most = limit();
  return std::ranges::all_of(messages, [&](const auto& message) {
    const auto at = sites_.find(site_of(message));
    return at == sites_.end() || (!at->second.full && at->second.count < most);
  });
}

void Backlogs::when_room(std::function<void()> tell) {
  const std::scoped_lock lock(mutex_);
  tell_ = std::move(tell);
}

}  // namespace posthaste::delivery
