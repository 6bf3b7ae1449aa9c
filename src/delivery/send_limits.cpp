#include "delivery/send_limits.h"

namespace posthaste::delivery {

namespace {

using State = store::Store::SendLimitState;

constexpr double kNear = 0.9;

State state_of(std::int64_t used, std::int64_t limit) {
  if (used >= limit) return State::Exceeded;
  return double(used) >= kNear * double(limit) ? State::Approaching : State::Below;
}

}  // namespace

void SendLimits::Place::give_back() {
  if (!taken_) return;
  std::lock_guard lock(taken_->mutex);
  if (--taken_->places[server_] <= 0) taken_->places.erase(server_);
  taken_.reset();
}

bool SendLimits::take(const store::Server& server, Time now, Place& place) {
  if (!server.send_limit) return true;
  place.give_back();
  std::lock_guard lock(taken_->mutex);
  auto& places = taken_->places[server.id];
  const std::int64_t used = store_.sent_last_hour(server.id, now) + places;
  store_.note_send_limit(server.id, state_of(used, *server.send_limit), now);
  if (used >= *server.send_limit) {
    if (places == 0) taken_->places.erase(server.id);
    return false;
  }
  ++places;
  place = Place(taken_, server.id);
  return true;
}

}  // namespace posthaste::delivery
