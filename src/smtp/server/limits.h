// What all sessions of a process share: memory of messages that come in, connections of each address, failed logins of
// each address (smtp-server.md 8.7 and 18).
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/network.h"
#include "base/time.h"

namespace posthaste::smtp::server {

// Failed logins and connections by address: IPv4 addresses alone, IPv6 in networks of /64. Bounded; the address that
// was touched longest ago goes first. From any thread.
class AddressTable {
 public:
  explicit AddressTable(std::size_t capacity = 100000) : capacity_(capacity) {}

  struct AuthRule {
    std::size_t failures = 20;
    Duration window = std::chrono::seconds(600), block = std::chrono::seconds(900);
  };
  // Counts a failure; so many of them within the window block the address for a while. True if this one did.
  bool auth_failed(const IpAddress& ip, Time now, const AuthRule& rule);
  bool auth_blocked(const IpAddress& ip, Time now);
  // Blocked so often that it is not even let in: three times within a day, for an hour.
  bool turned_away(const IpAddress& ip, Time now);

  // A connection arrives; false if more than `per_minute` of them do (half of that may come at once). 0: any number.
  bool arrive(const IpAddress& ip, Time now, std::size_t per_minute);

  // One more open connection; false (and not counted) if there are `limit` already.
  bool connect(const IpAddress& ip, std::size_t limit);
  void disconnect(const IpAddress& ip);

 private:
  struct Entry {
    std::size_t connections = 0, failures = 0;
    Time window_began{}, blocked_until{};
    std::size_t blocks = 0;
    Time first_block{}, turned_away_until{};
    double arrivals = 0;  // that the bucket still holds
    Time arrived{};
    std::list<std::string>::iterator used;
  };
  Entry& entry(const std::string& key);
  void shrink();

  std::size_t capacity_;
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
  std::list<std::string> order_;  // used last in front
};

// Connections of each credential. From any thread.
class CredentialTable {
 public:
  // One more; false (and not counted) if there are `limit` already.
  bool connect(std::int64_t credential, std::size_t limit);
  void disconnect(std::int64_t credential);

 private:
  std::mutex mutex_;
  std::unordered_map<std::int64_t, std::size_t> connections_;
};

struct Limits {
  std::atomic<std::uint64_t> inflight{0};  // bytes of messages in reception
  std::atomic<std::size_t> connections{0};
  AddressTable addresses;
  CredentialTable credentials;
};

// A session's share of Limits::inflight; given back at its end.
class Memory {
 public:
  explicit Memory(Limits& limits) : limits_(limits) {}
  ~Memory() { hold(0); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  void hold(std::uint64_t bytes) {
    limits_.inflight.fetch_add(bytes - held_, std::memory_order_relaxed);
    held_ = bytes;
  }

 private:
  Limits& limits_;
  std::uint64_t held_ = 0;
};

// A session's place among those of its credential; given back at its end.
class Place {
 public:
  explicit Place(Limits& limits) : limits_(limits) {}
  ~Place() { leave(); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  bool take(std::int64_t credential, std::size_t limit) {
    leave();
    if (limits_.credentials.connect(credential, limit)) credential_ = credential;
    return credential_.has_value();
  }
  void leave() {
    if (credential_) limits_.credentials.disconnect(*credential_);
    credential_.reset();
  }

 private:
  Limits& limits_;
  std::optional<std::int64_t> credential_;
};

}  // namespace posthaste::smtp::server
