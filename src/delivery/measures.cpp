#include "delivery/measures.h"

namespace posthaste::delivery {

namespace {

constexpr auto kWorker = metrics::Part::Worker;

// Postal's buckets end at 10 s; messages may wait a day.
const std::vector<double>& latency_buckets() {
  static const std::vector<double> buckets = [] {
    auto all = metrics::postal_buckets();
    for (double more : {30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0}) all.push_back(more);
    return all;
  }();
  return buckets;
}

}  // namespace

void Measures::concluded(const store::Conclusion& conclusion, std::string_view classification) const {
  if (!conclusion.delivery) return;
  deliveries.add({{"outcome", conclusion.delivery->status}, {"class", std::string(classification)}});
}

void Measures::worked(std::size_t loop, Duration took) const {
  const metrics::Labels labels = {{"thread", std::to_string(loop)}, {"job", "ProcessQueuedMessagesJob"}};
  executions.add(labels);
  runtime.observe(labels, std::chrono::duration<double>(took).count());
}

const Measures& measures() {
  static const Measures all{
      {kWorker, "postal_message_queue_latency",
       "The length of time between a message being queued and being dequeued (in seconds)", latency_buckets()},
      {kWorker, "postal_worker_job_executions", "The number of jobs worked by a worker where work was completed", true},
      {kWorker, "postal_worker_job_runtime", "The time taken to process jobs (in seconds)", metrics::postal_buckets(),
       true},
      {kWorker, "postal_worker_errors", "The number of errors encountered while processing jobs", true},
      {kWorker, "posthaste_deliveries_total", "Attempts by outcome and class of failure", true},
      {kWorker, "posthaste_smtp_transaction_seconds", "Duration of outgoing SMTP transactions"},
      {kWorker, "posthaste_uncertain_deliveries_total", "Attempts that ended between the final dot and its reply"},
      {kWorker, "posthaste_lease_lost_total", "Times that this process lost the lease on its queue rows"},
      {kWorker, "posthaste_smtp_connections", "Open connections to remote hosts"},
      {kWorker, "posthaste_bounces_total", "Messages that came back, by class of the bounce", true},
  };
  return all;
}

}  // namespace posthaste::delivery
