#include "inspection/breaker.h"

#include "base/log.h"

namespace posthaste::inspection {

namespace {

constexpr int kInARow = 5;
constexpr auto kRest = 15s;

}  // namespace

bool Breaker::may_ask(Steady::time_point now) {
  std::lock_guard lock(mutex_);
  if (failures_ < kInARow) return true;
  if (now < rest_until_ || trying_) return false;
  trying_ = true;
  return true;
}

void Breaker::report(Outcome outcome, Steady::time_point now) {
  std::lock_guard lock(mutex_);
  const bool resting = failures_ >= kInARow;
  trying_ = false;
  if (outcome != Outcome::TimedOut && outcome != Outcome::Failed) {
    failures_ = 0;
    if (resting) log::info("worker", scanner_ + " answers again");
    return;
  }
  rest_until_ = now + kRest;
  if (++failures_ == kInARow)
    log::warn("worker", scanner_ + " does not answer; mail goes on without it, and it is tried again now and then");
}

}  // namespace posthaste::inspection
