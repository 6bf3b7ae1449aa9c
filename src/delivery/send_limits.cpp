#include "delivery/send_limits.h"

namespace posthaste::delivery {

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
  if (store_.sent_last_hour(server.id, now) + places >= *server.send_limit) {
    if (places == 0) taken_->places.erase(server.id);
    return false;
  }
  ++places;
  place = Place(taken_, server.id);
  return true;
}

}  // namespace posthaste::delivery
