#include "delivery/outgoing_pipeline.h"

#include <cxxabi.h>

#include <cmath>
#include <cstdlib>
#include <typeinfo>

#include "base/log.h"
#include "base/strings.h"
#include "delivery/spam_fields.h"
#include "delivery/steps.h"

namespace posthaste::delivery {

namespace {

constexpr Step kSteps[] = {
    {"find_message", "S1", find_message},
    {"set_incoming_aside", "S5", set_incoming_aside},
    {"find_mail_server", "S2", find_mail_server},
    {"hold_while_suspended", "S2", hold_while_suspended},
    {"fail_after_last_attempt", "S3", fail_after_last_attempt},
    {"find_raw_message", "S4", find_raw_message},
    {"check_scope", "S6", check_scope},
    {"check_domain", "O1", check_domain},
    {"check_recipient", "O2", check_recipient},
    {"find_tag", "O3", find_tag},
    {"hold_by_credential", "O4", hold_by_credential},
    {"hold_if_suppressed", "O5", hold_if_suppressed},
    {"inspect", "O7", inspect},
    {"fail_if_spam", "O8", fail_if_spam},
    {"add_headers", "O9", add_headers},
    {"check_send_limit", "O10", check_send_limit},
    {"hold_in_development", "O12", hold_in_development},
    {"address_envelope", "12.5", address_envelope},
    {"send", "O11, O13", nullptr},
    {"fail_unknown_domain", "11.2", fail_unknown_domain, after_unknown_domain},
    {"suppress_after_hard_fails", "O14", suppress_after_hard_fails, after_hard_fail},
    {"unsuppress_after_success", "O15", unsuppress_after_success},
};

const Step* const kSend = std::ranges::find(kSteps, nullptr, &Step::run);

store::Conclusion conclusion_for(const Attempt& attempt) {
  store::Conclusion conclusion;
  conclusion.server_id = attempt.queued().server_id;
  conclusion.message_id = attempt.queued().message_id;
  conclusion.queue_id = attempt.queued().queue_id;
  conclusion.tag = attempt.found_tag;
  conclusion.prepend_headers = attempt.added_headers;
  conclusion.inspection = attempt.inspection;
  if (attempt.foreign_verdicts) conclusion.remove_headers = {kSpamFields.begin(), kSpamFields.end()};
  conclusion.suppress_reason = attempt.suppress_reason;
  if (!attempt.suppress_reason.empty()) conclusion.suppress_address = attempt.message.rcpt_to;
  if (attempt.unsuppress) conclusion.unsuppress_address = attempt.message.rcpt_to;
  return conclusion;
}

store::Delivery delivery_for(const Attempt& attempt, std::string status, std::string details, Time now) {
  store::Delivery delivery;
  delivery.message_id = attempt.queued().message_id;
  delivery.status = std::move(status);
  delivery.details = std::move(details);
  delivery.timestamp = now;
  return delivery;
}

store::Conclusion end_with(const Attempt& attempt, Tools& tools, const Answer& answer) {
  auto conclusion = conclusion_for(attempt);
  const Time now = tools.clock();
  switch (answer.kind) {
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

std::string class_name(const std::exception& error) {
  int status = 0;
  char* name = abi::__cxa_demangle(typeid(error).name(), nullptr, nullptr, &status);
  std::string text = status == 0 && name ? name : typeid(error).name();
  std::free(name);
  return text;
}

}  // namespace

std::span<const Step> outgoing_pipeline() { return kSteps; }

std::optional<store::Conclusion> run_before_send(Attempt& attempt, Tools& tools) {
  attempt.awaits_inspection = false;
  for (const Step* step = kSteps + attempt.next_step; step != kSend; ++step) {
    const Answer answer = step->run(attempt, tools);
    if (answer.kind == Answer::Kind::Inspect) {
      attempt.next_step = std::size_t(step - kSteps);
      attempt.awaits_inspection = true;
      return std::nullopt;
    }
    if (answer.kind != Answer::Kind::GoOn) return end_with(attempt, tools, answer);
  }
  return std::nullopt;
}

bool needs_pool_after_send(const Attempt& attempt) {
  return std::any_of(kSend + 1, std::end(kSteps), [&](const Step& s) { return s.needed && s.needed(attempt); });
}

store::Conclusion run_after_send(Attempt& attempt, Tools& tools, bool ask) {
  for (const Step* step = kSend + 1; step != std::end(kSteps); ++step) {
    if (!step->needed || (ask && step->needed(attempt))) step->run(attempt, tools);
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
