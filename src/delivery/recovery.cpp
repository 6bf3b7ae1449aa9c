#include "delivery/recovery.h"

#include <future>

#include "base/log.h"
#include "delivery/flight.h"
#include "delivery/measures.h"

namespace posthaste::delivery {

namespace {

constexpr auto kPatience = 30s;

bool has_delivery(store::Store& store, const store::Conclusion& conclusion) {
  const auto rows = store.deliveries(conclusion.server_id, conclusion.message_id);
  return std::ranges::any_of(rows, [&](const auto& row) { return row.log_id == conclusion.delivery->log_id; });
}

bool conclude(store::Store& store, store::Conclusion conclusion) {
  conclusion.recovered = true;
  auto promise = std::make_shared<std::promise<Result<>>>();
  auto committed = promise->get_future();
  store.conclude(std::move(conclusion), [promise](Result<> result) { promise->set_value(std::move(result)); });
  return committed.wait_for(kPatience) == std::future_status::ready && committed.get().has_value();
}

bool settle_known(store::Store& store, store::Conclusion conclusion) {
  if (!conclusion.delivery || has_delivery(store, conclusion)) {
    // Only the queue row may be left; where the conclusion asks for a retry, that is committed with the delivery.
    if (conclusion.queue != store::QueueChange::Done) return true;
    conclusion.delivery.reset();
    conclusion.prepend_headers.clear();
  }
  log::info("worker", "storing the outcome of a delivery of an earlier run",
            {{"message", conclusion.message_id}, {"server", conclusion.server_id}});
  return conclude(store, std::move(conclusion));
}

bool settle_in_doubt(store::Store& store, const InDoubt& what, Time now, const policy::RetryPlan& plan) {
  measures().uncertain.add();
  log::warn("worker", "in doubt: an earlier run ended before " + what.endpoint + " answered",
            {{"message", what.message_id}, {"server", what.server_id}});
  return conclude(store, interrupted(what, now, plan));
}

}  // namespace

void settle_left_over(Journal& journal, store::Store& store, Time now, const policy::RetryPlan& plan) {
  bool all = true;
  for (const auto& conclusion : journal.left().known) all = settle_known(store, conclusion) && all;
  for (const auto& what : journal.left().in_doubt) all = settle_in_doubt(store, what, now, plan) && all;
  if (all) return journal.forget_left();
  log::error("worker", "deliveries of an earlier run could not be settled; they are tried again at the next start");
}

}  // namespace posthaste::delivery
