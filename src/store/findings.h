// What an attempt found out about a message, besides its delivery: what inspection said, which message a bounce is for
// and what that means for the other one.
#pragma once

#include "store/counters.h"
#include "store/messages.h"

namespace posthaste::store {

void write_findings(sql::Connection& connection, const sql::Names& names, const Conclusion& conclusion, Counts& counts);

}  // namespace posthaste::store
