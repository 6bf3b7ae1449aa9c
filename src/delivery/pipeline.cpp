#include "delivery/pipeline.h"

#include <cxxabi.h>

#include <cmath>
#include <cstdlib>
#include <typeinfo>

#include "base/log.h"
#include "base/strings.h"
#include "delivery/spam_fields.h"
#include "events/requests.h"

namespace posthaste::delivery {

namespace {

// An attempt takes the outgoing way until its message has been read: both begin with that.
std::span<const Step> steps_of(const Attempt& attempt) {
  return attempt.message.scope == "incoming" ? incoming_pipeline() : outgoing_pipeline();
}

std::span<const Step> steps_after_send(const Attempt& attempt) {
  const auto steps = steps_of(attempt);
  return steps.subspan(std::size_t(std::ranges::find(steps, nullptr, &Step::run) - steps.begin()) + 1);
}

store::Delivery delivery_for(const Attempt& attempt, std::string status, std::string details, Time now) {
  store::Delivery delivery;
  delivery.message_id = attempt.queued().message_id;
  delivery.status = std::move(status);
  delivery.details = std::move(details);
  delivery.timestamp = now;
  return delivery;
}

// The webhooks' requests join the delivery's transaction.
store::Conclusion told(const Attempt& attempt, store::Conclusion conclusion) {
  if (attempt.directory) events::tell_of_delivery(*attempt.directory, attempt.message, conclusion);
  return conclusion;
}

store::Conclusion end_with(const Attempt& attempt, Tools& tools, const Answer& answer) {
  auto conclusion = conclusion_for(attempt);
  const Time now = tools.clock();
  switch (answer.kind) {
    case Answer::Kind::Processed:
      conclusion.delivery = delivery_for(attempt, "Processed", answer.details, now);
      break;
    case Answer::Kind::Held:
      conclusion.delivery = delivery_for(attempt, "Held", answer.details, now);
      conclusion.hold_expiry = now + std::chrono::days(tools.config.postal.default_maximum_hold_expiry_days);
      break;
    case Answer::Kind::Failed:
      conclusion.delivery = delivery_for(attempt, "HardFail", answer.details, now);
      break;
    case Answer::Kind::Retry:  // a step before sending says so: that is no attempt
      conclusion.queue = store::QueueChange::Wait;
      conclusion.retry_at = answer.at;
      break;
    case Answer::Kind::Done:
    case Answer::Kind::GoOn:
    case Answer::Kind::Inspect:
      break;
  }
  return conclusion;
}

// Details with the remark behind: `accepted. Recipient removed ...`.
std::string with_remark(std::string details, const std::string& remark) {
  if (remark.empty()) return details;
  if (!details.ends_with('.')) details += '.';
  return details + ' ' + remark;
}

// Postal names the recipient's domain for an SMTP endpoint, too, whichever host that is.
std::string named_domain(const Attempt& attempt) {
  if (attempt.destination.kind == Destination::Kind::Domain) return attempt.destination.name;
  return attempt.queued().domain;
}

std::string class_name(const std::exception& error) {
  int status = 0;
  char* name = abi::__cxa_demangle(typeid(error).name(), nullptr, nullptr, &status);
  std::string text = status == 0 && name ? name : typeid(error).name();
  std::free(name);
  return text;
}

}  // namespace

store::Conclusion conclusion_for(const Attempt& attempt) {
  store::Conclusion conclusion = attempt.conclusion;
  conclusion.server_id = attempt.queued().server_id;
  conclusion.message_id = attempt.queued().message_id;
  conclusion.queue_id = attempt.queued().queue_id;
  conclusion.tag = attempt.found_tag;
  conclusion.prepend_headers = attempt.added_headers;
  conclusion.inspection = attempt.inspection;
  if (attempt.foreign_verdicts) conclusion.remove_headers = {kSpamFields.begin(), kSpamFields.end()};
  if (!attempt.suppress_reason.empty()) {
    conclusion.suppress_reason = attempt.suppress_reason;
    conclusion.suppress_address = attempt.message.rcpt_to;
  }
  if (attempt.unsuppress) conclusion.unsuppress_address = attempt.message.rcpt_to;
  return conclusion;
}

std::optional<store::Conclusion> run_before_send(Attempt& attempt, Tools& tools) {
  attempt.awaits_inspection = false;
  for (;; ++attempt.next_step) {
    const Step& step = steps_of(attempt)[attempt.next_step];
    if (!step.run) return std::nullopt;
    const Answer answer = step.run(attempt, tools);
    attempt.awaits_inspection = answer.kind == Answer::Kind::Inspect;
    if (attempt.awaits_inspection) return std::nullopt;
    if (answer.kind != Answer::Kind::GoOn) return told(attempt, end_with(attempt, tools, answer));
  }
}

bool needs_pool_after_send(const Attempt& attempt) {
  return std::ranges::any_of(steps_after_send(attempt), [&](const Step& s) { return s.needed && s.needed(attempt); });
}

store::Conclusion run_after_send(Attempt& attempt, Tools& tools, bool ask) {
  for (const Step& step : steps_after_send(attempt)) {
    if (!step.needed || (ask && step.needed(attempt))) step.run(attempt, tools);
  }
  const policy::Verdict& verdict = *attempt.verdict;
  const Time now = tools.clock();
  auto conclusion = conclusion_for(attempt);
  auto delivery = delivery_for(attempt, std::string(policy::to_text(verdict.status)),
                               with_remark(verdict.details, attempt.remark), now);
  delivery.output = std::string(trim(verdict.output));
  delivery.code = verdict.code;
  delivery.sent_with_ssl = attempt.over_tls;
  delivery.log_id = attempt.log_id;
  delivery.seconds = attempt.seconds;
  conclusion.delivery = std::move(delivery);
  if (verdict.status == policy::Verdict::Status::SoftFail) {
    conclusion.queue = store::QueueChange::Retry;
    conclusion.retry_at = retry_time(attempt, tools, verdict.retry_hint);
  }
  return told(attempt, std::move(conclusion));
}

store::Conclusion put_off(const Attempt& attempt, Time until) {
  auto conclusion = conclusion_for(attempt);
  conclusion.queue = store::QueueChange::Wait;
  conclusion.retry_at = until;
  return conclusion;
}

Time retry_time(const Attempt& attempt, Tools& tools, std::optional<Duration> hint) {
  const Time now = tools.clock();
  const int attempts = attempt.queued().attempts;
  if (attempts + 1 >= tools.config.postal.default_maximum_delivery_attempts) return now;
  return now + tools.retry_plan.delay(attempts, tools.chance(), hint);
}

void set_verdict(Attempt& attempt, const ConnectFailure& failure) {
  using Why = NoHosts::Why;
  policy::Verdict verdict;
  const bool hard = failure.why && *failure.why != Why::LookupFailed && *failure.why != Why::NoSuchDomain;
  verdict.status = hard ? policy::Verdict::Status::HardFail : policy::Verdict::Status::SoftFail;
  verdict.details = failure.details;
  if (!failure.why) verdict.details = policy::no_servers_details(named_domain(attempt), failure.tried);
  verdict.output = failure.output;
  verdict.classification = policy::Class::Connection;
  if (failure.why) verdict.classification = policy::Class::InvalidDomain;
  if (failure.why == Why::LookupFailed) verdict.classification = policy::Class::Dns;
  if (failure.why == Why::Loop) verdict.classification = policy::Class::Routing;
  // Two looks at the DNS, half an hour apart, before a domain counts as gone.
  if (failure.why == Why::NoSuchDomain) verdict.retry_hint = 30min;
  attempt.verdict = std::move(verdict);
  attempt.no_connection = failure;
  attempt.log_id = failure.log_id;
  attempt.over_tls = false;
  attempt.seconds.reset();
}

store::Conclusion internal_error(const Attempt& attempt, Tools& tools, const std::exception& error) {
  const std::string what = class_name(error) + ": " + error.what();
  log::error("worker", "internal error: " + what,
             {{"message", attempt.queued().message_id}, {"server", attempt.queued().server_id}});
  auto conclusion = conclusion_for(attempt);
  auto delivery = delivery_for(attempt, "Error",
                               "An internal error occurred while sending this message. This message will be retried "
                               "automatically.",
                               tools.clock());
  delivery.output = what;
  conclusion.delivery = std::move(delivery);
  conclusion.queue = store::QueueChange::Retry;
  conclusion.retry_at = retry_time(attempt, tools);
  return conclusion;
}

}  // namespace posthaste::delivery
