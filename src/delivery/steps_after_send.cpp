#include "base/log.h"
#include "delivery/steps.h"

namespace posthaste::delivery {

namespace {

using Status = policy::Verdict::Status;

// Earlier attempts that found no such domain left this text, which an unreachable host does not.
bool found_no_host(const store::Delivery& delivery) {
  return delivery.status == "SoftFail" && delivery.details.starts_with("No SMTP servers were available for ") &&
         delivery.details.ends_with("No hosts to try.");
}

}  // namespace

bool after_unknown_domain(const Attempt& attempt) {
  return attempt.no_connection && attempt.no_connection->why == NoHosts::Why::NoSuchDomain &&
         attempt.queued().attempts >= 2;
}

Answer fail_unknown_domain(Attempt& attempt, Tools& tools) {
  auto rows = tools.store.deliveries(attempt.queued().server_id, attempt.message.id);
  std::erase_if(rows, [](const auto& row) { return !found_no_host(row); });
  if (rows.size() < 2 || rows.back().timestamp - rows.front().timestamp < 30min) return {};
  attempt.verdict->status = Status::HardFail;
  attempt.verdict->details = "The recipient domain " + attempt.queued().domain + " does not exist (NXDOMAIN).";
  return {};
}

bool after_hard_fail(const Attempt& attempt) {
  return attempt.verdict && attempt.verdict->status == Status::HardFail &&
         (policy::blames_recipient(attempt.verdict->classification) ||
          attempt.verdict->classification == policy::Class::MailboxFull);
}

// Only what speaks of the mailbox counts: a block list or a refused content must not suppress an innocent address. The
// second such failure within a day does; a full mailbox the third within two weeks.
Answer suppress_after_hard_fails(Attempt& attempt, Tools& tools) {
  const bool full = attempt.verdict->classification == policy::Class::MailboxFull;
  const Time since = tools.clock() - (full ? Duration(std::chrono::days(14)) : Duration(24h));
  const auto earlier = tools.store.hard_fails_since(attempt.queued().server_id, attempt.message.rcpt_to, since);
  if (earlier < (full ? 2U : 1U)) return {};
  log::info("worker",
            fmt::format("Added {} to suppression list because {} hard fails in {}", attempt.message.rcpt_to,
                        earlier + 1, full ? "14 days" : "24 hours"),
            {{"message", attempt.message.id}, {"server", attempt.queued().server_id}});
  attempt.suppress_reason = "too many hard fails";
  attempt.remark = "Recipient added to suppression list (too many hard fails)";
  return {};
}

Answer unsuppress_after_success(Attempt& attempt, Tools&) {
  if (attempt.verdict->status != Status::Sent || !attempt.on_suppression_list) return {};
  attempt.unsuppress = true;
  attempt.remark = "Recipient removed from suppression list";
  return {};
}

}  // namespace posthaste::delivery
