// The half of Lanes that posts to HTTP endpoints.
#include "base/random.h"
#include "delivery/lanes.h"
#include "delivery/measures.h"

namespace posthaste::delivery {

namespace {

constexpr std::size_t kMostRequests = 8;  // to one endpoint at the same time

HttpOutcome failed_outcome(policy::Verdict::Status status, std::string details) {
  HttpOutcome outcome;
  outcome.verdict.status = status;
  outcome.verdict.details = std::move(details);
  outcome.tells_sender = false;
  return outcome;
}

}  // namespace

void Lanes::pump_posts(const LanePtr& lane) {
  if (!shared_.post) {
    while (!lane->ready.empty()) {
      put_off_later(std::move(lane->ready.front()), 1h);
      lane->ready.pop_front();
    }
  }
  while (!lane->ready.empty() && lane->connections < lane->width && shared_.take_post()) {
    ++lane->connections;
    auto attempt = std::move(lane->ready.front());
    lane->ready.pop_front();
    loop_.spawn(post(lane, std::move(attempt)), "request");
  }
}

io::Task<> Lanes::post(LanePtr lane, AttemptPtr attempt) {
  auto flight = std::make_shared<Flight>();
  flight->attempt = attempt.get();
  flight->endpoint = "HTTP endpoint " + lane->key.site;
  flight->past_dot = true;  // an answer may be lost at any time from here on
  flights_.push_back(flight);
  ++shared_.past_dot;
  attempt->log_id = random_upper_alphanumeric(8);
  attempt->tried = true;

  std::optional<HttpOutcome> outcome;
  std::exception_ptr failure;
  try {
    if (!attempt->raw) co_await load_raw(attempt);
    if (auto* journal = shared_.settlement.journal()) attempt->ticket = journal->sending(in_doubt(*flight));
    outcome = co_await post_once(attempt);
  } catch (...) {
    failure = std::current_exception();
  }
  std::erase(flights_, flight);
  --shared_.past_dot;
  --shared_.posts;
  --lane->connections;
  if (!flight->settled) {
    if (failure) {
      try {
        std::rethrow_exception(failure);
      } catch (const std::exception& error) {
        stumble(std::move(attempt), error);
      }
    } else {
      attempt->verdict = outcome->verdict;
      attempt->over_tls = outcome->over_tls;
      attempt->seconds = outcome->seconds;
      attempt->tells_sender = outcome->tells_sender;
      if (outcome->unreachable) {
        lane->no_answer = outcome->verdict;
        lane->failed_up_to = lane->arrivals;
        note_failure(*lane, Steady::now());
      } else {
        note_success(*lane);
        lane->width = std::min(kMostRequests, 2 * lane->width);
      }
      log_outcome(*attempt, "");
      finish_later(std::move(attempt));
    }
  }
  pump(lane);
}

io::Task<HttpOutcome> Lanes::post_once(AttemptPtr attempt) {
  using Status = policy::Verdict::Status;
  const auto directory = shared_.store.directory();
  const auto* endpoint = directory->http_endpoint(attempt->endpoint_id);
  if (!endpoint) co_return failed_outcome(Status::HardFail, "Invalid endpoint for route.");
  HttpEndpointCall call{*endpoint,     attempt->server->uuid,  attempt->message,
                        *attempt->raw, attempt->added_headers, attempt->foreign_verdicts};
  HttpOutcome outcome = co_await shared_.post(std::move(call));
  co_return outcome;
}

}  // namespace posthaste::delivery
