#include "tracking/link_cache.h"

namespace posthaste::tracking {

namespace {

std::string key_of(store::Id server_id, std::string_view token) { return fmt::format("{}/{}", server_id, token); }

std::size_t size_of(const LinkCache::LinkPtr& link) { return link ? link->url.size() : 0; }

}  // namespace

std::optional<LinkCache::LinkPtr> LinkCache::find(store::Id server_id, std::string_view token, Time now) {
  const std::string key = key_of(server_id, token);
  const std::scoped_lock lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return std::nullopt;
  const auto entry = found->second;
  if (!entry->link && entry->until <= now) {
    remove(entry);
    return std::nullopt;
  }
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->link;
}

void LinkCache::put(store::Id server_id, std::string_view token, LinkPtr link, Time now) {
  std::string key = key_of(server_id, token);
  const std::scoped_lock lock(mutex_);
  if (const auto found = by_key_.find(key); found != by_key_.end()) remove(found->second);
  bytes_ += size_of(link);
  entries_.push_front({std::move(key), std::move(link), now + limits_.absence});
  by_key_.emplace(entries_.front().key, entries_.begin());
  while (entries_.size() > limits_.links || (bytes_ > limits_.bytes && entries_.size() > 1))
    remove(std::prev(entries_.end()));
}

void LinkCache::remove(Entries::iterator entry) {
  bytes_ -= size_of(entry->link);
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

}  // namespace posthaste::tracking
