// Puts clicks and opens into the store without anybody waiting for it: each is a write that joins the next batch of its
// mail server's database. What is not written yet is bounded; beyond that hits are dropped and counted.
//
// Any thread; never blocks.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>

#include "base/network.h"
#include "config/config.h"
#include "store/hits.h"

namespace posthaste::tracking {

struct Visit {
  IpAddress ip;
  std::string user_agent;
  store::HitClass hit_class = store::HitClass::Person;
  Time when;
};

class Recorder {
 public:
  struct Limits {
    std::size_t pending = 100'000;
    int per_second = 50;                       // from one address
    std::size_t remembered = 100'000;          // of addresses, opens and messages that are watched
    Duration fold = std::chrono::seconds(10);  // profile `modern`: opens by the same address and agent
  };
  Recorder(store::Store& store, const config::Config& config) : Recorder(store, config, Limits{}) {}
  Recorder(store::Store& store, const config::Config& config, Limits limits);

  void opened(store::Id server_id, std::string_view message_token, Visit visit);
  void clicked(store::Id server_id, const store::Link& link, Visit visit);

 private:
  struct State {
    std::atomic<std::size_t> pending{0};
    std::atomic<bool> failing{false};
  };
  // Clicks of one message within a second.
  struct Burst {
    Time begin;
    std::set<store::Id> links;
  };

  bool admits(const Visit& visit);
  bool is_repeated(store::Id server_id, std::string_view message_token, const Visit& visit);
  bool is_burst(store::Id server_id, const store::Link& link, Time when);
  void record(store::NewHit hit, const Visit& visit);

  store::Store& store_;
  const config::Config& config_;
  const Limits limits_;
  std::shared_ptr<State> state_ = std::make_shared<State>();  // outlived by callbacks of the store's writer
  std::mutex mutex_;
  Time second_{};  // that `asked_` counts
  std::unordered_map<std::string, int> asked_;
  std::unordered_map<std::string, Time> opens_;
  std::deque<std::pair<Time, std::string>> opens_in_order_;
  std::unordered_map<std::string, Burst> bursts_;
};

}  // namespace posthaste::tracking
