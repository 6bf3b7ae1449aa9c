#include "store/writer.h"

namespace posthaste::store {

namespace {

constexpr auto kShortestPause = std::chrono::milliseconds(250);
constexpr auto kLongestPause = std::chrono::milliseconds(5000);

// Below this many jobs in a batch, or in so short a time, waiting for company gains nothing.
constexpr std::size_t kLargeBatch = 8;
constexpr auto kGathering = std::chrono::microseconds(1000);

const Error kStopped{ErrorKind::Unavailable, "The server is shutting down.", ""};

auto pause_after(int failures) { return std::min(kLongestPause, kShortestPause * (1 << std::min(failures - 1, 5))); }

}  // namespace

JobPtr make_job(AcceptJob accept) {
  auto job = std::make_unique<Job>();
  job->server_id = accept.submission.server_id;
  job->rows = std::max<std::size_t>(1, accept.submission.messages.size());
  job->bytes = accept.submission.raw.size();
  job->what = std::move(accept);
  return job;
}

JobPtr make_job(ConcludeJob conclude) {
  auto job = std::make_unique<Job>();
  job->server_id = conclude.conclusion.server_id;
  job->bytes = conclude.conclusion.prepend_headers.size();
  job->what = std::move(conclude);
  return job;
}

JobPtr make_job(WriteJob write) {
  auto job = std::make_unique<Job>();
  job->server_id = write.write.server_id;
  job->bytes = write.write.bytes;
  job->what = std::move(write);
  return job;
}

void fail_job(Job& job, const Error& error) {
  std::visit([&](auto& what) { what.done(std::unexpected(error)); }, job.what);
}

void Waiting::push(JobPtr job) {
  ++size_;
  accepts_ += job->accepts();
  auto& of_server = by_server_[job->server_id];
  of_server.push_back(std::move(job));
}

void Waiting::put_back(std::vector<JobPtr> jobs) {
  size_ += jobs.size();
  for (auto job = jobs.rbegin(); job != jobs.rend(); ++job) {
    accepts_ += (*job)->accepts();
    auto& of_server = by_server_[(*job)->server_id];
    of_server.push_front(std::move(*job));
  }
}

std::vector<JobPtr> Waiting::take(const BatchLimits& limits) {
  std::vector<JobPtr> batch;
  std::size_t rows = 0, bytes = 0;
  auto at = by_server_.lower_bound(turn_);
  while (!by_server_.empty()) {
    if (at == by_server_.end()) at = by_server_.begin();
    Job& next = *at->second.front();
    turn_ = at->first;  // whose job does not fit comes first next time
    const bool full = batch.size() >= limits.jobs || rows + next.rows > limits.rows ||
                      bytes + next.bytes > limits.bytes || next.bytes > limits.alone;
    if (full && !batch.empty()) break;
    rows += next.rows;
    bytes += next.bytes;
    const bool alone = next.bytes > limits.alone;
    --size_;
    accepts_ -= next.accepts();
    batch.push_back(std::move(at->second.front()));
    at->second.pop_front();
    at = at->second.empty() ? by_server_.erase(at) : std::next(at);
    if (alone) break;
  }
  return batch;
}

Writer::Writer(std::size_t threads, Commit commit) : commit_(std::move(commit)) {
  for (std::size_t i = 0; i < std::max<std::size_t>(1, threads); ++i) threads_.emplace_back([this] { run(); });
}

Writer::~Writer() { close(); }

void Writer::submit(Id lane_number, JobPtr job) {
  bool listed = false, enough = false;
  {
    const std::scoped_lock lock(mutex_);
    if (!closing_) {
      auto& lane = lanes_[lane_number];
      if (!lane) lane = std::make_unique<Lane>();
      lane->waiting.push(std::move(job));
      if (lane->failures == 0 || lane->waiting.urgent()) listed = list(*lane);
      enough = lane->expected > 0 && lane->waiting.size() == lane->expected;
    }
  }
  if (job) return fail_job(*job, kStopped);
  if (listed) wake_.notify_one();
  if (enough) gathered_.notify_all();
}

void Writer::close() {
  {
    const std::scoped_lock lock(mutex_);
    closing_ = true;
    for (auto& [number, lane] : lanes_) list(*lane);
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

bool Writer::list(Lane& lane) {
  if (lane.busy || lane.listed || lane.waiting.empty()) return false;
  lane.listed = true;
  ready_.push_back(&lane);
  return true;
}

void Writer::list_due(Instant now) {
  delayed_ = 0;
  for (auto& [number, lane] : lanes_) {
    if (lane->failures == 0 || lane->busy || lane->listed || lane->waiting.empty()) continue;
    if (lane->not_before <= now)
      list(*lane);
    else
      ++delayed_;
  }
}

Writer::Lane* Writer::next_lane(std::unique_lock<std::mutex>& lock) {
  for (;;) {
    if (delayed_ > 0) list_due(std::chrono::steady_clock::now());
    if (!ready_.empty()) {
      Lane* lane = ready_.front();
      ready_.pop_front();
      lane->listed = false;
      lane->busy = true;
      return lane;
    }
    const bool working = std::ranges::any_of(lanes_, [](const auto& entry) { return entry.second->busy; });
    if (closing_ && !working) return nullptr;
    if (delayed_ > 0)
      wake_.wait_for(lock, kShortestPause);
    else
      wake_.wait(lock);
  }
}

void Writer::gather(Lane& lane, std::unique_lock<std::mutex>& lock) {
  if (lane.expected == 0) return;
  gathered_.wait_until(lock, lane.expected_until, [&] { return lane.waiting.size() >= lane.expected || closing_; });
  lane.expected = 0;
}

void Writer::run() {
  std::unique_lock lock(mutex_);
  while (Lane* lane = next_lane(lock)) {
    gather(*lane, lock);
    std::vector<JobPtr> batch = lane->waiting.take({});
    const std::size_t size = batch.size();
    lock.unlock();
    std::vector<JobPtr> again = commit_(std::move(batch));
    lock.lock();
    // Nobody waits yet although many were answered just now: most of them are on their way.
    if (size >= kLargeBatch && again.empty() && lane->waiting.size() < size / 2) {
      lane->expected = size - size / 4;
      lane->expected_until = std::chrono::steady_clock::now() + kGathering;
    }
    std::vector<JobPtr> given_up = settle(*lane, std::move(again));
    if (given_up.empty()) continue;
    lock.unlock();
    for (const JobPtr& job : given_up) fail_job(*job, kStopped);
    lock.lock();
  }
  lock.unlock();
  wake_.notify_all();
}

std::vector<JobPtr> Writer::settle(Lane& lane, std::vector<JobPtr> again) {
  lane.busy = false;
  if (closing_) wake_.notify_all();  // the other threads may be done now
  if (again.empty() || closing_) {
    lane.failures = 0;
    list(lane);
    return again;
  }
  ++lane.failures;
  lane.not_before = std::chrono::steady_clock::now() + pause_after(lane.failures);
  lane.waiting.put_back(std::move(again));
  if (lane.waiting.urgent())
    list(lane);
  else
    ++delayed_;
  return {};
}

}  // namespace posthaste::store
