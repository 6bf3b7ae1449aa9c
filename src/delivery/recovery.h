// What an earlier run left in the journal is settled before anything is claimed.
#pragma once

#include "base/time.h"
#include "delivery/journal.h"
#include "policy/retry.h"
#include "store/store.h"

namespace posthaste::delivery {

// Blocking. Known outcomes are stored unless the database has them already (a delivery with the message's log id); an
// attempt without one is recorded as interrupted and tried again in five minutes. The files are removed when all of it
// has been committed; otherwise they stay for the next start.
void settle_left_over(Journal& journal, store::Store& store, Time now, const policy::RetryPlan& plan);

}  // namespace posthaste::delivery
