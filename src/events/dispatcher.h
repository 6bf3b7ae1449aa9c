// Sends the requests that wait in the table to their webhooks (http-api.md 17, 18).
//
// Everything happens on one loop of its own choice; signing and the database are on pool threads, the requests on the
// HTTP client's. Each endpoint (scheme, host, port) has a lane with a limit and a breaker, so that a dead receiver
// delays neither other receivers nor mail: its requests stay in the table.
#pragma once

#include <memory>
#include <vector>

#include "base/time.h"
#include "config/config.h"
#include "events/retry_schedule.h"
#include "io/http_client.h"
#include "io/loop.h"
#include "io/pool.h"
#include "store/store.h"
#include "trust/request_signature.h"

namespace posthaste::events {

struct DispatcherOptions {
  Clock clock = system_now;
  std::size_t concurrency = 256;  // requests under way
  std::size_t per_endpoint = 8, per_server = 32;
  std::size_t waiting_per_hook = 100, waiting = 5000;  // claimed at most
  Duration timeout = std::chrono::seconds(5), connect_timeout = std::chrono::seconds(3);
  RetrySchedule schedule;
  std::string user_agent;
};
// Of the `webhooks` group; delays that are none are left out with a line in the log.
DispatcherOptions dispatcher_options(const config::Config& config);

class Dispatcher {
 public:
  // All of them outlive it, and its loop's tasks end before it does. `store` has a webhook queue.
  static std::unique_ptr<Dispatcher> make(store::Store& store, io::HttpClient& client, trust::RequestSigner& signer,
                                          io::Loop& loop, io::Pool& pool, DispatcherOptions options);
  virtual ~Dispatcher() = default;

  virtual void start() = 0;
  // Something is due: look now. Any thread. Requests written in this process do it by themselves.
  virtual void wake() = 0;
  // Nothing new begins; what is under way may end until the grace does. What this process holds goes back.
  virtual io::Task<> stop(Duration grace) = 0;
};

// `Postal/3.3.6 (Posthaste/0.1.0)`, or `Posthaste/0.1.0` in profile `modern`.
std::string user_agent(const config::Config& config);

}  // namespace posthaste::events
