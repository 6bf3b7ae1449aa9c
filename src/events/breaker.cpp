#include "events/breaker.h"

#include <algorithm>
#include <array>

namespace posthaste::events {

namespace {

using namespace std::chrono_literals;

constexpr int kInARow = 20;
constexpr std::size_t kFewest = 50;
constexpr auto kWindow = 5min;
constexpr std::size_t kMostRecent = 1000;
constexpr std::array<std::chrono::seconds, 4> kPauses = {30s, 60s, 120s, 300s};

}  // namespace

bool Breaker::admit(Instant now) {
  if (!open_) return true;
  if (probing_ || now < probe_at_) return false;
  probing_ = true;
  return true;
}

void Breaker::note(bool success, Instant now) {
  if (success) {
    if (open_) *this = Breaker();
    failures_ = 0;
  } else {
    ++failures_;
  }
  if (open_) {  // a request from before it opened, or the probe
    if (probing_) trip(now);
    return;
  }
  recent_.emplace_back(now, success);
  if (recent_.size() > kMostRecent) recent_.pop_front();
  if (failures_ >= kInARow || (!success && half_failed(now))) trip(now);
}

void Breaker::trip(Instant now) {
  probe_at_ = now + kPauses[std::min<std::size_t>(std::size_t(trips_), kPauses.size() - 1)];
  ++trips_;
  open_ = true;
  probing_ = false;
  recent_.clear();
}

bool Breaker::half_failed(Instant now) {
  while (!recent_.empty() && recent_.front().first < now - kWindow) recent_.pop_front();
  const auto failed = std::ranges::count(recent_, false, &std::pair<Instant, bool>::second);
  return recent_.size() >= kFewest && std::size_t(failed) * 2 >= recent_.size();
}

}  // namespace posthaste::events
