#include "delivery/incoming_steps.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "delivery/bounce_message.h"
#include "delivery/spam_fields.h"
#include "delivery/steps.h"

namespace posthaste::delivery {

Answer bounce_after_last_attempt(Attempt& attempt, Tools& tools) {
  const int attempts = attempt.queued().attempts;
  if (attempts < tools.config.postal.default_maximum_delivery_attempts) return go_on();
  std::string details = fmt::format("Maximum number of delivery attempts ({}) has been reached.", attempts);
  if (const auto bounce = send_bounce(attempt, tools, reason_of_last_attempt(attempts)))
    details += fmt::format(" Bounce sent to sender (see message <msg:{}>)", *bounce);
  return failed(std::move(details));
}

// A message counts once, however often it is looked at.
Answer count_received(Attempt& attempt, Tools& tools) {
  if (!attempt.message.last_delivery_attempt) tools.store.count_received(attempt.queued().server_id, tools.clock());
  return go_on();
}

Answer fail_above_spam_threshold(Attempt& attempt, Tools& tools) {
  const double threshold =
      attempt.server->spam_failure_threshold.value_or(double(tools.config.postal.default_spam_failure_threshold));
  if (attempt.message.spam_score < threshold) return go_on();
  return failed(fmt::format(
      "Message's spam score is higher than the failure threshold for this server. Threshold is currently {}.",
      decimal(threshold)));
}

Answer find_route(Attempt& attempt, Tools&) {
  if (attempt.message.route_id) attempt.route = attempt.directory->route(*attempt.message.route_id);
  if (!attempt.route) return failed("Message does not have a route and/or endpoint available for delivery.");
  if (attempt.route->domain_id) attempt.domain = attempt.directory->domain(*attempt.route->domain_id);
  return go_on();
}

Answer follow_spam_mode(Attempt& attempt, Tools&) {
  if (!attempt.message.spam || attempt.queued().manual) return go_on();
  if (attempt.route->spam_mode == "Quarantine") return held("Message placed into quarantine.");
  if (attempt.route->spam_mode == "Fail") return failed("Message is spam and the route specifies it should be failed.");
  return go_on();
}

Answer follow_accept_mode(Attempt& attempt, Tools&) {
  if (attempt.route->mode != "Accept") return go_on();
  return processed("Message has been accepted but not sent to any endpoints.");
}

Answer follow_hold_mode(Attempt& attempt, Tools&) {
  if (attempt.route->mode != "Hold") return go_on();
  if (attempt.queued().manual) return processed("Message has been processed.");
  return held("Message has been accepted but not sent to any endpoints.");
}

// Also Reject: the route may have been changed since the message was accepted.
Answer follow_bounce_mode(Attempt& attempt, Tools& tools) {
  if (attempt.route->mode != "Bounce" && attempt.route->mode != "Reject") return go_on();
  std::string details = "Message has been bounced because the route asks for this.";
  if (const auto bounce = send_bounce(attempt, tools, reason_of_route()))
    details += fmt::format(" See message <msg:{}>", *bounce);
  return failed(std::move(details));
}

bool after_refusal(const Attempt& attempt) {
  return attempt.message.scope == "incoming" && attempt.tells_sender && attempt.verdict &&
         attempt.verdict->status == policy::Verdict::Status::HardFail;
}

Answer bounce_after_refusal(Attempt& attempt, Tools& tools) {
  if (const auto bounce = send_bounce(attempt, tools, reason_of_verdict(attempt)))
    attempt.remark = fmt::format("Sent bounce message to sender (see message <msg:{}>)", *bounce);
  return go_on();
}

}  // namespace posthaste::delivery
