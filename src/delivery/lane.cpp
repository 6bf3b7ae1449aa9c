#include "delivery/lane.h"

namespace posthaste::delivery {

namespace {

constexpr std::size_t kBacklogPerConnection = 10;
constexpr auto kLongWait = 1s;
constexpr int kFailuresBeforePause = 3;
constexpr Duration kFirstPause = 10s, kLongestPause = 5min;

void take_failed_from(Lane& lane, std::deque<std::shared_ptr<Attempt>>& from,
                      std::vector<std::shared_ptr<Attempt>>& into) {
  for (auto& attempt : from) {
    if (lane.failed(*attempt)) into.push_back(std::move(attempt));
  }
  std::erase(from, nullptr);
}

}  // namespace

bool wants_connection(const Lane& lane, std::size_t limit, Steady::time_point now) {
  if (lane.connecting || lane.connections >= limit) return false;
  if (!lane.moved.empty()) return true;
  if (lane.ready.empty()) return false;
  if (lane.connections == 0) return true;
  if (now < lane.no_more_until || !lane.idle.empty()) return false;
  return lane.backlog() > kBacklogPerConnection * lane.connections || now - lane.ready_since > kLongWait;
}

void note_failure(Lane& lane, Steady::time_point now) {
  ++lane.failures;
  lane.width = 1;
  if (lane.failures < kFailuresBeforePause) return;
  const int doublings = std::min(lane.failures - kFailuresBeforePause, 10);
  lane.paused_until = now + std::min(kLongestPause, kFirstPause * (1 << doublings));
}

void note_success(Lane& lane) {
  lane.failures = 0;
  lane.paused_until = {};
  lane.failure.reset();
  lane.no_answer.reset();
}

std::optional<Duration> put_off_for(const Lane& lane, const Attempt& attempt, const policy::RetryPlan& plan, Time now,
                                    Steady::time_point steady_now, double chance) {
  if (attempt.message.scope != "incoming" || attempt.tried) return std::nullopt;
  const Time since = std::max(attempt.queued().created_at, attempt.message.last_delivery_attempt.value_or(Time{}));
  if (now - since >= plan.delay(attempt.queued().attempts, 1.0)) return std::nullopt;
  const auto pause = std::max(kFirstPause, std::chrono::duration_cast<Duration>(lane.paused_until - steady_now));
  return pause + std::chrono::duration_cast<Duration>(pause * chance / 4);
}

std::vector<std::shared_ptr<Attempt>> take_paused(Lane& lane, Steady::time_point now) {
  std::vector<std::shared_ptr<Attempt>> paused;
  if (now >= lane.paused_until) return paused;
  for (auto& attempt : lane.ready) {
    if (attempt->message.scope == "incoming" && attempt->queued().attempts == 0) paused.push_back(std::move(attempt));
  }
  std::erase(lane.ready, nullptr);
  return paused;
}

std::size_t prefetch(const Lane& lane) { return lane.failure ? 8 : std::max<std::size_t>(4, 2 * lane.connections); }

std::shared_ptr<Attempt> take_for(Lane& lane, bool new_connection, bool helo_only) {
  const auto moved = std::ranges::find_if(lane.moved, [&](const auto& a) { return a->helo_only == helo_only; });
  if (new_connection && moved != lane.moved.end()) {
    auto attempt = std::move(*moved);
    lane.moved.erase(moved);
    return attempt;
  }
  if (helo_only || lane.ready.empty()) return nullptr;
  auto attempt = std::move(lane.ready.front());
  lane.ready.pop_front();
  lane.ready_since = Steady::now();
  return attempt;
}

std::vector<std::shared_ptr<Attempt>> take_failed(Lane& lane) {
  std::vector<std::shared_ptr<Attempt>> failed;
  if (!lane.failure && !lane.no_answer) return failed;
  take_failed_from(lane, lane.ready, failed);
  take_failed_from(lane, lane.moved, failed);
  return failed;
}

}  // namespace posthaste::delivery
