// Links by their tokens, the least recently used going first. Links never change; that there is none is remembered for
// a while. Any thread.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.h"
#include "store/hits.h"

namespace posthaste::tracking {

class LinkCache {
 public:
  using LinkPtr = std::shared_ptr<const store::Link>;  // null: there is none
  struct Limits {
    std::size_t links = 200'000;
    std::size_t bytes = 64u << 20;  // of their URLs
    Duration absence = std::chrono::seconds(30);
  };
  LinkCache() : LinkCache(Limits{}) {}
  explicit LinkCache(Limits limits) : limits_(limits) {}

  // Nothing: not known.
  std::optional<LinkPtr> find(store::Id server_id, std::string_view token, Time now);
  void put(store::Id server_id, std::string_view token, LinkPtr link, Time now);

 private:
  struct Entry {
    std::string key;
    LinkPtr link;
    Time until;  // of an absence
  };
  using Entries = std::list<Entry>;
  void remove(Entries::iterator entry);

  const Limits limits_;
  std::mutex mutex_;
  Entries entries_;  // most recently used first
  std::unordered_map<std::string_view, Entries::iterator> by_key_;
  std::size_t bytes_ = 0;
};

}  // namespace posthaste::tracking
