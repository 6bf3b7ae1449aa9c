// What processes that are gone left in the journal is settled before their messages are taken over.
#pragma once

#include "base/time.h"
#include "delivery/journal.h"
#include "policy/retry.h"
#include "store/store.h"

namespace posthaste::delivery {

// Blocking. Known outcomes are stored unless the database has them already (a delivery with the message's log id); an
// attempt without one is recorded as interrupted and tried again in five minutes. Where somebody else has gone on with
// the message since, only what was accepted for certain is still recorded. The files are removed when all of it has
// been committed; otherwise they stay for the next time. Doing it twice changes nothing.
void settle_left_over(Journal& journal, store::Store& store, Time now, const policy::RetryPlan& plan);

}  // namespace posthaste::delivery
