// Answers of name servers for as long as they said. Only for the .cpp files of this room.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "io/resolver.h"

namespace posthaste::io {

// What a question came to, records as on the wire.
struct DnsReply {
  DnsStatus status = DnsStatus::ServFail;
  std::vector<std::string> rdata;
  bool secure = false;
  std::chrono::seconds ttl{0};  // 0: not to be kept
};

// From any thread. Bounded: entries are kept in two generations, and the older one goes when the younger is full.
class DnsCache {
 public:
  using Now = std::chrono::steady_clock::time_point;
  using Reply = std::shared_ptr<const DnsReply>;

  explicit DnsCache(std::size_t generation = 20'000) : generation_(generation) {}

  Reply find(const std::string& name, int type, Now now);
  // An answer with TTL 0 removes what was there.
  void keep(const std::string& name, int type, Reply reply, Now now);

 private:
  struct Key {
    std::string name;
    int type;
    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const {
      return std::hash<std::string>{}(key.name) ^ static_cast<std::size_t>(key.type);
    }
  };
  struct Entry {
    Reply reply;
    Now expires;
  };
  using Entries = std::unordered_map<Key, Entry, Hash>;

  void put(Key key, Entry entry);

  const std::size_t generation_;
  std::mutex mutex_;
  Entries young_;
  Entries old_;
};

}  // namespace posthaste::io
