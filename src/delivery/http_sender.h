// One POST of an incoming message to an HTTP endpoint (inbound-processing.md 10 to 12).
//
// Whatever the endpoint does is an outcome, never an exception: a message that was taken must not be posted again
// because its answer could not be understood.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/time.h"
#include "config/config.h"
#include "io/http_client.h"
#include "io/pool.h"
#include "io/task.h"
#include "policy/reply_verdict.h"
#include "store/messages.h"
#include "store/records.h"
#include "trust/request_signature.h"

namespace posthaste::delivery {

// Everything by value: the configuration may change while the request is under way.
struct HttpEndpointCall {
  store::HttpEndpoint endpoint;
  std::string server_uuid;  // for Idempotency-Key
  store::Message message;   // with what its inspection has found
  store::RawMessage raw;
  std::string added_headers;      // lines that belong in front of `raw` and are not stored yet
  bool foreign_verdicts = false;  // `raw` has X-Postal-Spam lines of somebody else, which are left out
};

struct HttpOutcome {
  policy::Verdict verdict;        // `Received a 200 from https://...`; code: the status; retry_hint: Retry-After
  bool unreachable = false;       // no answer came (codes below zero): others need not try now
  bool tells_sender = true;       // of a HardFail, with a bounce
  bool over_tls = false;          // the URL is https
  std::optional<double> seconds;  // that it took
};

using PostToEndpoint = std::function<io::Task<HttpOutcome>(HttpEndpointCall)>;

// The real one; body and signatures are made on a pool thread. Client, signer and pool outlive it; from any loop.
PostToEndpoint http_endpoint_sender(io::HttpClient& client, trust::RequestSigner& signer, io::Pool& pool,
                                    const config::Config& config, Clock clock = system_now);

// What an answer makes of the message (12.1). Pure.
HttpOutcome judge_answer(const store::HttpEndpoint& endpoint, const io::HttpAnswer& answer, Time now);

}  // namespace posthaste::delivery
