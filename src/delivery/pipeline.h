// The way of a message, from the queue to its delivery row: a table of named steps, in order. There are two tables:
// outgoing_pipeline.cpp and incoming_pipeline.cpp.
//
// Each step looks at the attempt and answers: go on; or processed, held, failed, retry, done, which ends the way. The
// steps before `send` decide whether there is anything to send and prepare it; they may ask the database and compute,
// so they run on a pool thread. Sending itself belongs to the lane's loop (lanes.h). The steps behind it draw the
// consequences.
//
// What a step wants stored with the outcome it puts into attempt.conclusion.
#pragma once

#include <exception>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "config/config.h"
#include "delivery/attempt.h"
#include "delivery/signer.h"
#include "policy/retry.h"
#include "store/messages.h"
#include "store/store.h"

namespace posthaste::delivery {

// What steps may use. Made once per worker.
struct Tools {
  store::Store& store;
  const config::Config& config;
  Clock clock;
  std::function<double()> chance;  // uniform in [0, 1)
  Signer& signer;
  SendLimits& limits;
  policy::RetryPlan retry_plan;
};

struct Answer {
  enum class Kind {
    GoOn,
    Processed,  // delivery `Processed`
    Held,       // delivery `Held`, until a person or its expiry ends the hold
    Failed,     // delivery `HardFail`
    Retry,      // no delivery; the message is looked at again at `at`
    Done,       // no delivery; nothing is left to do
    Inspect,    // the lane asks the scanners, fills attempt.inspection and has the steps go on with this one
  };
  Kind kind = Kind::GoOn;
  std::string details;
  Time at{};
};

inline Answer go_on() { return {}; }
inline Answer processed(std::string details) { return {Answer::Kind::Processed, std::move(details)}; }
inline Answer held(std::string details) { return {Answer::Kind::Held, std::move(details)}; }
inline Answer failed(std::string details) { return {Answer::Kind::Failed, std::move(details)}; }
inline Answer done() { return {Answer::Kind::Done}; }

struct Step {
  std::string_view name;
  std::string_view reference;                     // row in outbound-delivery.md 5.2, 5.3 or inbound-processing.md 5, 6
  Answer (*run)(Attempt& attempt, Tools& tools);  // null: `send`, which the lane does
  bool (*needed)(const Attempt& attempt) = nullptr;  // null: always; otherwise a reason to go to a pool thread
};

// The tables.
std::span<const Step> outgoing_pipeline();
std::span<const Step> incoming_pipeline();

// Runs the steps before `send`, blocking. A conclusion: the way ended there. Nothing: send it, or, if
// attempt.awaits_inspection, ask the scanners, fill attempt.inspection and call it again.
// Throws what a broken world throws (sql::Failure, ...): see internal_error().
std::optional<store::Conclusion> run_before_send(Attempt& attempt, Tools& tools);

// Runs the steps behind it, with attempt.verdict set. Blocking if needs_pool_after_send(); without `ask` those steps
// are left out.
store::Conclusion run_after_send(Attempt& attempt, Tools& tools, bool ask = true);
bool needs_pool_after_send(const Attempt& attempt);

// What the steps so far want stored, without a delivery: the queue row is done with.
store::Conclusion conclusion_for(const Attempt& attempt);

// The message was not attempted after all, because of others that failed: it waits until then, attempts unchanged.
store::Conclusion put_off(const Attempt& attempt, Time until);

// A failed round of connecting as the attempt's verdict.
void set_verdict(Attempt& attempt, const ConnectFailure& failure);

// When the next attempt is due: the hint or the curve. After the last allowed attempt at once, so that the message
// fails now and not a day later.
Time retry_time(const Attempt& attempt, Tools& tools, std::optional<Duration> hint = {});

// 5.4: what becomes of a message on which a step stumbled.
store::Conclusion internal_error(const Attempt& attempt, Tools& tools, const std::exception& error);

}  // namespace posthaste::delivery
