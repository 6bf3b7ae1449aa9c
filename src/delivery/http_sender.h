// One POST of an incoming message to an HTTP endpoint (inbound-processing.md 10 to 12).
//
// Whatever happens is an outcome, never an exception: a message that was taken must not be posted again because its
// answer could not be understood.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "config/config.h"
#include "io/http_client.h"
#include "io/task.h"
#include "policy/reply_verdict.h"
#include "store/messages.h"
#include "store/records.h"

namespace posthaste::delivery {

// Everything by value: the configuration may change while the request is under way.
struct HttpEndpointCall {
  store::HttpEndpoint endpoint;
  std::string server_uuid;  // for Idempotency-Key
  store::Message message;   // with what its inspection has found
  store::RawMessage raw;
  std::string added_headers;  // lines that belong in front of `raw` and are not stored yet
};

struct HttpOutcome {
  policy::Verdict verdict;        // `Received a 200 from https://...`; code: the status; retry_hint: Retry-After
  bool unreachable = false;       // no answer came (codes below zero): others need not try now
  bool tells_sender = true;       // of a HardFail, with a bounce
  bool over_tls = false;          // the URL is https
  std::optional<double> seconds;  // that it took
};

using PostToEndpoint = std::function<io::Task<HttpOutcome>(HttpEndpointCall)>;

// The real one: signs with the installation's key. `client` and `config` outlive it; from any loop.
PostToEndpoint http_endpoint_sender(io::HttpClient& client, const config::Config& config);

}  // namespace posthaste::delivery
