// A transaction that is under way, as its lanes keep it.
#pragma once

#include <string>

#include "delivery/attempt.h"
#include "policy/retry.h"

namespace posthaste::delivery {

struct Flight {
  Attempt* attempt = nullptr;
  std::string endpoint;
  bool past_dot = false;
  bool settled = false;  // concluded as uncertain at shutdown: what still comes does not count
};

// What became of a message whose reply nobody will read: here at shutdown, or found in the journal at the next start.
// The delivery carries the time of the attempt, by which the store knows it again when it is recorded twice.
// Five minutes later it is tried again.
store::Conclusion interrupted(const InDoubt& what, Time now, const policy::RetryPlan& plan);

}  // namespace posthaste::delivery
