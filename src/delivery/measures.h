// The worker's metrics, under Postal's names and our own (outbound-delivery.md 18).
#pragma once

#include "base/metrics.h"
#include "delivery/attempt.h"

namespace posthaste::delivery {

struct Measures {
  metrics::Histogram queue_latency;
  metrics::Counter executions;
  metrics::Histogram runtime;
  metrics::Counter errors;
  metrics::Counter deliveries;
  metrics::Histogram transaction;
  metrics::Counter uncertain;
  metrics::Counter lease_lost;
  metrics::Gauge connections;
  metrics::Counter bounces;

  void concluded(const store::Conclusion& conclusion, std::string_view classification) const;
  void worked(std::size_t loop, Duration took) const;
};

const Measures& measures();  // looked up once

}  // namespace posthaste::delivery
