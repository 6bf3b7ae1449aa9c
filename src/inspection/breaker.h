// Leaves a scanner alone that does not answer, so that mail does not wait its full time for each message.
//
// After five failures in a row without an answer between them it is not asked for a while; then one message at a time
// tries, until it answers again. Any thread.
#pragma once

#include <mutex>
#include <string>

#include "inspection/place.h"
#include "inspection/scan.h"

namespace posthaste::inspection {

class Breaker {
 public:
  explicit Breaker(std::string scanner) : scanner_(std::move(scanner)) {}

  // Whether to ask now. Whoever may reports what came of it.
  bool may_ask(Steady::time_point now);
  void report(Outcome outcome, Steady::time_point now);

 private:
  const std::string scanner_;
  std::mutex mutex_;
  int failures_ = 0;
  Steady::time_point rest_until_{};
  bool trying_ = false;
};

}  // namespace posthaste::inspection
