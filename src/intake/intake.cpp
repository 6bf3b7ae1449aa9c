#include "intake/intake.h"

#include <set>

#include "io/oneshot.h"
#include "mail/address.h"
#include "store/source_address.h"

namespace posthaste::intake {

namespace {

// What the worker of this process needs of messages that are about to be committed under its lease. Ids come later.
std::vector<store::QueuedMessage> as_queued(const store::Submission& submission) {
  std::vector<store::QueuedMessage> queued;
  queued.reserve(submission.messages.size());
  for (const auto& message : submission.messages) {
    auto& q = queued.emplace_back();
    q.server_id = submission.server_id;
    q.domain = mail::split_address(message.rcpt_to).domain;
    q.ip_address_id = message.ip_address_id;
    q.route_id = message.route_id;
    if (message.scope == store::Scope::Incoming) q.batch_key = store::batch_key(message);
    q.created_at = submission.timestamp;
    q.raw = submission.raw;
  }
  return queued;
}

// Whether the worker of this process can send all of them: from here, that is, where they have a source address.
bool leave_from_here(const store::Submission& submission, const store::Directory& directory) {
  std::set<store::Id> sources;
  for (const auto& message : submission.messages)
    if (message.ip_address_id) sources.insert(*message.ip_address_id);
  return std::ranges::all_of(sources, [&](store::Id id) {
    const auto* row = directory.ip_address(id);
    return !row || store::on_this_machine(*row);
  });
}

}  // namespace

Intake::Intake(store::Store& store, const config::Config& config, store::LocalWorker* worker)
    : store_(store), config_(config), worker_(worker) {}

io::Task<Result<std::vector<store::Stored>>> Intake::accept(std::vector<store::Submission> submissions) {
  std::vector<store::Stored> all;
  all.reserve(submissions.size());
  for (auto& submission : submissions) {
    const auto directory = store_.directory();
    if (config_.postal.use_ip_pools) store::choose_sources(*directory, submission);
    std::vector<store::QueuedMessage> queued;
    if (worker_) queued = as_queued(submission);
    const bool claim = worker_ && worker_->wants(queued) && leave_from_here(submission, *directory);
    if (!claim) queued.clear();

    io::OneShot<Result<store::Stored>> committed;
    store_.accept(std::move(submission), claim, committed.sender());
    Result<store::Stored> stored = co_await committed;
    if (!stored) co_return std::unexpected(std::move(stored.error()));

    for (std::size_t i = 0; i < queued.size() && i < stored->messages.size(); ++i) {
      queued[i].message_id = stored->messages[i].message_id;
      queued[i].queue_id = stored->messages[i].queue_id;
    }
    if (!queued.empty()) worker_->hand_over(std::move(queued));
    all.push_back(std::move(*stored));
  }
  co_return all;
}

}  // namespace posthaste::intake
