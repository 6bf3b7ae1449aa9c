#include "delivery/recovery.h"

#include <algorithm>
#include <chrono>
#include <future>

#include "base/log.h"
#include "delivery/flight.h"
#include "delivery/measures.h"
#include "events/requests.h"
#include "sql/sql.h"

namespace posthaste::delivery {

namespace {

constexpr auto kPatience = 30s;

// Conclusions on their way into the database, committed together.
class Settling {
 public:
  explicit Settling(store::Store& store) : store_(store) {}

  void conclude(store::Conclusion conclusion) {
    conclusion.recovered = true;
    auto promise = std::make_shared<std::promise<Result<>>>();
    committed_.push_back(promise->get_future());
    store_.conclude(std::move(conclusion), [promise](Result<> result) { promise->set_value(std::move(result)); });
  }

  bool all_committed() {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    return std::ranges::all_of(committed_, [&](auto& committed) {
      return committed.wait_until(deadline) == std::future_status::ready && committed.get().has_value();
    });
  }

 private:
  store::Store& store_;
  std::vector<std::future<Result<>>> committed_;
};

bool has_delivery(store::Store& store, const store::Conclusion& conclusion) {
  const auto rows = store.deliveries(conclusion.server_id, conclusion.message_id);
  return std::ranges::any_of(rows, [&](const auto& row) { return row.log_id == conclusion.delivery->log_id; });
}

// Whether the message still waits as that process left it.
bool untouched(store::Store& store, store::Id server_id, store::Id message_id, store::Id queue_id,
               const std::string& lease) {
  store::QueueFilter filter;
  filter.server_id = server_id;
  filter.message_id = message_id;
  const auto entries = store.queue(filter);
  return std::ranges::any_of(entries, [&](const auto& entry) {
    return entry.queue_id == queue_id && (!entry.locked || lease.empty() || entry.locked_by == lease);
  });
}

// Its requests were not journalled: they follow from the delivery.
void tell(store::Store& store, store::Conclusion& conclusion) {
  if (!conclusion.delivery) return;
  const auto message = store.message(conclusion.server_id, conclusion.message_id);
  if (message) events::tell_of_delivery(*store.directory(), *message, conclusion);
}

void settle_known(store::Store& store, store::Conclusion conclusion, Settling& settling) {
  if (!conclusion.delivery || has_delivery(store, conclusion)) {
    // Only the queue row may be left; where the conclusion asks for a retry, that is committed with the delivery.
    if (conclusion.queue != store::QueueChange::Done) return;
    conclusion.delivery.reset();
    conclusion.prepend_headers.clear();
    conclusion.inspection.reset();
  } else if (conclusion.delivery->status != "Sent" &&
             !untouched(store, conclusion.server_id, conclusion.message_id, conclusion.queue_id, conclusion.lease)) {
    return;
  }
  log::info("worker", "storing the outcome of a delivery of an earlier run",
            {{"message", conclusion.message_id}, {"server", conclusion.server_id}});
  tell(store, conclusion);
  settling.conclude(std::move(conclusion));
}

void settle_in_doubt(store::Store& store, const InDoubt& what, Time now, const policy::RetryPlan& plan,
                     Settling& settling) {
  if (!untouched(store, what.server_id, what.message_id, what.queue_id, what.lease)) return;
  measures().uncertain.add();
  log::warn("worker", "in doubt: an earlier run ended before " + what.endpoint + " answered",
            {{"message", what.message_id}, {"server", what.server_id}});
  auto conclusion = interrupted(what, now, plan);
  tell(store, conclusion);
  settling.conclude(std::move(conclusion));
}

// Runs `settle`; false if the database could not be asked. A message whose mail server is gone needs nothing more.
template <class Settle>
bool attempted(store::Id server_id, store::Id message_id, Settle settle) {
  try {
    settle();
    return true;
  } catch (const sql::Failure& failure) {
    const bool gone = failure.kind() == sql::FailureKind::MissingTable;
    log::warn("worker",
              gone ? "a delivery of an earlier run belongs to no mail server any more"
                   : "a delivery of an earlier run cannot be looked up",
              {{"message", message_id}, {"server", server_id}, {"error", failure.what()}});
    return gone;
  }
}

}  // namespace

void settle_left_over(Journal& journal, store::Store& store, Time now, const policy::RetryPlan& plan) {
  Settling settling(store);
  bool all = true;
  for (const auto& known : journal.left().known)
    all &= attempted(known.server_id, known.message_id, [&] { settle_known(store, known, settling); });
  for (const auto& what : journal.left().in_doubt)
    all &= attempted(what.server_id, what.message_id, [&] { settle_in_doubt(store, what, now, plan, settling); });
  if (settling.all_committed() && all) return journal.forget_left();
  log::error("worker", "deliveries of an earlier run could not be settled; they are tried again");
}

}  // namespace posthaste::delivery
