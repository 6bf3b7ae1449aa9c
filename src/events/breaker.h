// Stops requests to an endpoint that fails all the time, but for a probe now and then (http-api.md 18). Pure.
//
// Opens after 20 failures in a row, or when half of at least 50 requests within five minutes failed. Open, it lets one
// request through after 30 s; while these fail, after 60, 120 and then every 300 s. One success closes it.
#pragma once

#include <chrono>
#include <deque>
#include <utility>

namespace posthaste::events {

class Breaker {
 public:
  using Instant = std::chrono::steady_clock::time_point;

  bool open() const { return open_; }
  // Whether a request may begin; an open breaker that says yes waits for this one.
  bool admit(Instant now);
  // What became of a request that was admitted.
  void note(bool success, Instant now);
  // The probe that was admitted was not sent after all.
  void cancel_probe() { probing_ = false; }

 private:
  void trip(Instant now);
  bool half_failed(Instant now);

  bool open_ = false, probing_ = false;
  int failures_ = 0;  // in a row
  int trips_ = 0;     // since it was closed
  Instant probe_at_{};
  std::deque<std::pair<Instant, bool>> recent_;
};

}  // namespace posthaste::events
