#include "io/dns_cache.h"

#include <utility>

namespace posthaste::io {

DnsCache::Reply DnsCache::find(const std::string& name, int type, Now now) {
  Key key{name, type};
  std::lock_guard lock(mutex_);
  if (const auto it = young_.find(key); it != young_.end())
    return it->second.expires > now ? it->second.reply : nullptr;
  const auto it = old_.find(key);
  if (it == old_.end() || it->second.expires <= now) return nullptr;
  Reply reply = it->second.reply;
  put(std::move(key), std::move(it->second));  // in use: outlives its generation
  return reply;
}

void DnsCache::keep(const std::string& name, int type, Reply reply, Now now) {
  const auto ttl = reply->ttl;
  Key key{name, type};
  std::lock_guard lock(mutex_);
  old_.erase(key);
  young_.erase(key);
  if (ttl.count() > 0) put(std::move(key), Entry{std::move(reply), now + ttl});
}

void DnsCache::put(Key key, Entry entry) {
  if (young_.size() >= generation_) {
    old_ = std::move(young_);
    young_.clear();
  }
  young_.insert_or_assign(std::move(key), std::move(entry));
}

}  // namespace posthaste::io
