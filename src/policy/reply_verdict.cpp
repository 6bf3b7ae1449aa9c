#include "policy/reply_verdict.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "policy/retry.h"

namespace posthaste::policy {

namespace {

using Status = Verdict::Status;

bool unknown_command(int code) { return code == 500 || code == 502 || code == 503 || code == 504; }

// Codes of class 5 that are no answer about this message.
bool soft_despite_5xx(const Attempt& attempt, Class meaning) {
  const int code = attempt.code;
  if (code / 10 == 53) return true;
  if (code / 10 == 50 && attempt.stage == Stage::Content) return true;
  return blames_sender_host(meaning);
}

Status status_of_reply(const Attempt& attempt, Class meaning) {
  if (attempt.code / 100 != 5) return Status::SoftFail;
  return soft_despite_5xx(attempt, meaning) ? Status::SoftFail : Status::HardFail;
}

std::string accepted_details(const Attempt& attempt) {
  const std::string from = attempt.source_ip.empty() ? "" : fmt::format(" (from {})", attempt.source_ip);
  return fmt::format("Message for {} accepted by {}{}", attempt.rcpt_to, attempt.endpoint, from);
}

Verdict judge_accepted(const Attempt& attempt) {
  Verdict verdict;
  verdict.status = Status::Sent;
  verdict.details = accepted_details(attempt);
  verdict.output = attempt.reply;
  verdict.code = attempt.code;
  return verdict;
}

Verdict judge_refused(const Attempt& attempt) {
  Verdict verdict;
  verdict.output = attempt.reply;
  if (attempt.code != 0) verdict.code = attempt.code;
  verdict.classification = classify({attempt.stage, attempt.code, attempt.reply, attempt.attempts});
  verdict.status = status_of_reply(attempt, verdict.classification);
  verdict.details = fmt::format("{} SMTP delivery error when sending to {}",
                                verdict.status == Status::HardFail ? "Permanent" : "Temporary", attempt.endpoint);
  if (verdict.status == Status::SoftFail) verdict.retry_hint = retry_hint(attempt.reply);
  verdict.retry_with_helo = !attempt.helo_only && attempt.stage != Stage::Content && unknown_command(attempt.code);
  return verdict;
}

// Too late or not SMTP: the server is there and would do the same to the next connection.
bool no_good_reply(const Attempt& attempt) {
  return attempt.error.starts_with(kReadTimeout) || attempt.error.starts_with(kProtocolError);
}

Verdict judge_broken(const Attempt& attempt) {
  Verdict verdict;
  const bool lost = attempt.kind == Attempt::Kind::Broken && !no_good_reply(attempt);
  const bool generic = lost || attempt.kind == Attempt::Kind::Uncertain;
  verdict.details = fmt::format(
      "{} to {}",
      generic ? "An error occurred while sending the message" : "Temporary SMTP delivery error when sending",
      attempt.endpoint);
  verdict.output = attempt.error;
  verdict.classification = classify({attempt.stage, 0, attempt.error, attempt.attempts});
  verdict.retry_elsewhere = lost;
  return verdict;
}

// The client's words are for people already; what they are about decides.
Verdict judge_unfit(const Attempt& attempt) {
  Verdict verdict;
  verdict.status = Status::HardFail;
  verdict.details = attempt.error;
  const bool size = to_lower(attempt.error).find("large") != std::string::npos;
  verdict.classification = size ? Class::MessageTooLarge : Class::Unsupported;
  return verdict;
}

}  // namespace

std::string_view to_text(Verdict::Status status) {
  if (status == Status::Sent) return "Sent";
  return status == Status::SoftFail ? "SoftFail" : "HardFail";
}

Verdict judge(const Attempt& attempt) {
  switch (attempt.kind) {
    case Attempt::Kind::Accepted:
      return judge_accepted(attempt);
    case Attempt::Kind::Refused:
      return judge_refused(attempt);
    case Attempt::Kind::Unfit:
      return judge_unfit(attempt);
    case Attempt::Kind::Broken:
    case Attempt::Kind::Uncertain:
      break;
  }
  return judge_broken(attempt);
}

std::string no_servers_details(std::string_view domain, const std::vector<std::string>& hosts) {
  const std::string tried = hosts.empty() ? "No hosts to try." : fmt::format("Tried {}.", to_sentence(hosts));
  return fmt::format("No SMTP servers were available for {}. {}", domain, tried);
}

}  // namespace posthaste::policy
