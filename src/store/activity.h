// Opens and clicks of a message, as the tracking part (or Postal) recorded them.
#pragma once

#include <string>
#include <vector>

#include "base/time.h"
#include "store/store.h"

namespace posthaste::store {

struct Hit {
  std::string url;  // of a click
  std::string ip_address, user_agent;
  Time timestamp;
};
struct Activity {
  std::vector<Hit> loads, clicks;  // by time
};

// Blocking. A click whose link row is gone has no URL.
Activity activity(Store& store, Id server_id, Id message_id);

}  // namespace posthaste::store
