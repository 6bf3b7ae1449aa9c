// The part of Lanes that has the scanners look at messages.
#include "base/log.h"
#include "delivery/lanes.h"
#include "mail/header.h"
#include "mail/received.h"

namespace posthaste::delivery {

namespace {

// The client is in the field that we put on top when the message came in; further down anybody may have written.
void add_client(inspection::Subject& subject, const store::RawMessage& raw, const std::string& own_name) {
  const auto fields = mail::header_fields(raw.headers());
  if (fields.empty() || !fields.front().is("Received") || !mail::received_by(fields.front().value, own_name)) return;
  const auto client = mail::received_from(fields.front().value);
  if (!client) return;
  subject.ip = client->ip.text();
  subject.helo = client->helo;
  subject.hostname = client->name;
}

inspection::Subject subject_of(const Attempt& attempt, const std::string& own_name) {
  inspection::Subject subject;
  subject.incoming = attempt.message.scope == "incoming";
  subject.rcpt_to = attempt.message.rcpt_to;
  subject.mail_from = attempt.message.mail_from;
  subject.token = attempt.message.token;
  if (subject.incoming) add_client(subject, *attempt.raw, own_name);
  return subject;
}

}  // namespace

void Lanes::inspect_later(const LanePtr& lane, AttemptPtr attempt) {
  ++lane->inspecting;
  to_inspect_.emplace_back(lane, std::move(attempt));
  start_inspections();
}

void Lanes::start_inspections() {
  while (!to_inspect_.empty() && inspecting_ < shared_.inspections_per_loop) {
    auto [lane, attempt] = std::move(to_inspect_.front());
    to_inspect_.pop_front();
    ++inspecting_;
    loop_.spawn(inspect(std::move(lane), std::move(attempt)), "inspection");
  }
}

io::Task<> Lanes::inspect(LanePtr lane, AttemptPtr attempt) {
  store::Inspection found;
  std::string error;
  try {
    store::RawMessage raw = *attempt->raw;
    auto subject = subject_of(*attempt, shared_.config.postal.smtp_hostname);
    found = co_await shared_.inspector.inspect(std::move(raw), std::move(subject));
  } catch (const std::exception& thrown) {
    error = thrown.what();
  }
  if (!error.empty()) log::error("worker", "a message could not be inspected", {{"error", error}});
  attempt->inspection = std::move(found);
  --inspecting_;
  --lane->inspecting;
  start_inspections();
  if (shared_.stopping) {
    shared_.settlement.forget(attempt->queued());
    co_return;
  }
  ++lane->preparing;
  co_await run_steps(std::move(lane), std::move(attempt));
}

}  // namespace posthaste::delivery
