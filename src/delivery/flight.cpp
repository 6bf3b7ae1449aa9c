#include "delivery/flight.h"

namespace posthaste::delivery {

store::Conclusion interrupted(const InDoubt& what, Time now, const policy::RetryPlan& plan) {
  store::Delivery delivery;
  delivery.message_id = what.message_id;
  delivery.status = "SoftFail";
  delivery.details = "Delivery was interrupted after the message had been sent to " + what.endpoint +
                     ". It will be retried and may arrive twice.";
  delivery.timestamp = what.at;
  store::Conclusion conclusion;
  conclusion.server_id = what.server_id;
  conclusion.message_id = what.message_id;
  conclusion.queue_id = what.queue_id;
  conclusion.delivery = std::move(delivery);
  conclusion.queue = store::QueueChange::Retry;
  conclusion.retry_at = now + plan.delay(0, 0, Duration(300s));
  conclusion.lease = what.lease;
  return conclusion;
}

}  // namespace posthaste::delivery
