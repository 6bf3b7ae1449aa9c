// The hourly send limits of mail servers (outbound-delivery.md 8), decided one message at a time.
//
// A message that passed takes a place until its first transaction begins and is counted, or until it turns out that
// there is none. So messages that are prepared at the same time cannot pass the limit together.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "base/time.h"
#include "store/store.h"

namespace posthaste::delivery {

class SendLimits {
  struct Taken {
    std::mutex mutex;
    std::map<store::Id, std::int64_t> places;
  };

 public:
  explicit SendLimits(store::Store& store) : store_(store) {}

  // Given back when it goes out of scope.
  class Place {
   public:
    Place() = default;
    Place(std::shared_ptr<Taken> taken, store::Id server) : taken_(std::move(taken)), server_(server) {}
    Place(Place&& other) noexcept : taken_(std::move(other.taken_)), server_(other.server_) {}
    Place& operator=(Place&& other) noexcept {
      give_back();
      taken_ = std::move(other.taken_);
      server_ = other.server_;
      return *this;
    }
    ~Place() { give_back(); }
    void give_back();

   private:
    std::shared_ptr<Taken> taken_;
    store::Id server_ = 0;
  };

  // Whether one more message may go; blocking (it may ask the database).
  bool take(const store::Server& server, Time now, Place& place);

 private:
  store::Store& store_;
  std::shared_ptr<Taken> taken_ = std::make_shared<Taken>();
};

}  // namespace posthaste::delivery
