#include "delivery/worker.h"

#include "base/log.h"
#include "delivery/claims.h"
#include "delivery/lanes.h"
#include "delivery/measures.h"
#include "delivery/recovery.h"
#include "io/oneshot.h"

namespace posthaste::delivery {

namespace {

constexpr std::size_t kRawBudget = 128 * 1024 * 1024;  // bodies that wait in memory for their lane
constexpr auto kHeartbeat = 10s;
constexpr auto kFreezeAfter = 45s;  // others may take our rows when we have not been seen for 60 s
constexpr auto kUnderWay = 1s;      // for transactions before their final dot, at shutdown
constexpr auto kPoll = 20ms;

std::unique_ptr<Journal> open_journal(const config::Config& config) {
  auto journal = Journal::open(config.posthaste.data_path + "/journal");
  if (journal) return std::move(*journal);
  log::error("worker", "there is no delivery journal; a crash may send mail twice: " + journal.error().text,
             {{"cause", journal.error().cause}});
  return nullptr;
}

class WorkerOfThisProcess : public Worker {
 public:
  WorkerOfThisProcess(store::Store& store, const config::Config& config, io::Resolver& resolver, io::Runtime& runtime,
                      io::Pool& pool, WorkerOptions options, PostToEndpoint post)
      : shared_(std::make_shared<Shared>(store, config, resolver, pool, std::move(options), open_journal(config),
                                         smtp::client::Connection::open, std::move(post))),
        claims_(runtime.at(0), shared_, [this](std::vector<store::QueuedMessage> m) { distribute(std::move(m)); }) {
    shared_->inspections_per_loop = std::max<std::size_t>(1, shared_->inspections_per_loop / runtime.size());
    for (std::size_t i = 0; i < runtime.size(); ++i) {
      lanes_.push_back(std::make_unique<Lanes>(runtime.at(i), i, shared_));
    }
    shared_->settlement.backlogs().when_room([this] { claims_.wake(); });
  }

  ~WorkerOfThisProcess() override { shared_->settlement.backlogs().when_room({}); }

  void start() override {
    settle_dead();
    const auto freed = shared_->store.reclaim();
    if (freed > 0) log::info("worker", "messages of processes that are gone are due again", {{"count", freed}});
    for (const auto& lanes : lanes_) lanes->start();
    if (!shared_->options.claims) return;
    claims_.start();
    shared_->lease_seen = Steady::now();
    lanes_.front()->loop().spawn(keep_lease(this), "lease");
    lanes_.front()->loop().spawn(watch_lease(this), "lease");
  }

  void wake() override {
    for (const auto& lanes : lanes_) lanes->loop().post([lanes = lanes.get()] { lanes->lift_pauses(); });
    claims_.wake();
  }

  bool wants(const std::vector<store::QueuedMessage>& messages) const override {
    return !shared_->stopping && !shared_->frozen && shared_->settlement.backlogs().takes(messages);
  }

  void hand_over(std::vector<store::QueuedMessage> messages) override { distribute(std::move(messages)); }

  Numbers numbers() const override {
    return {shared_->settlement.in_memory(), shared_->lanes.load(), shared_->connections.load()};
  }

  io::Task<> stop(Duration grace) override;

 private:
  // Blocking; before rows are reclaimed, which others do a minute after the last heartbeat of their holder.
  void settle_dead() {
    auto* journal = shared_->settlement.journal();
    if (!journal) return;
    if (const auto looked = journal->look_for_left(); !looked)
      log::warn("worker", looked.error().text, {{"cause", looked.error().cause}});
    settle_left_over(*journal, shared_->store, shared_->options.clock(), shared_->tools.retry_plan);
  }

  void distribute(std::vector<store::QueuedMessage> messages) {
    std::vector<std::vector<store::QueuedMessage>> by_loop(lanes_.size());
    for (auto& message : messages) {
      shared_->settlement.took(message);
      if (shared_->settlement.raw_bytes() > kRawBudget) shared_->settlement.drop_raw(message);
      by_loop[loop_of(lane_key(message, *shared_), lanes_.size())].push_back(std::move(message));
    }
    for (std::size_t i = 0; i < by_loop.size(); ++i) {
      if (by_loop[i].empty()) continue;
      auto* lanes = lanes_[i].get();
      lanes->loop().post([lanes, mine = std::move(by_loop[i])]() mutable { lanes->add(std::move(mine)); });
    }
  }

  // Runs `work` on every lanes' loop and waits until all have done so.
  io::Task<> on_all(void (Lanes::*work)()) {
    for (const auto& lanes : lanes_) {
      io::OneShot<bool> done;
      auto send = done.sender();
      lanes->loop().post([lanes = lanes.get(), work, send = std::move(send)]() mutable {
        (lanes->*work)();
        send(true);
      });
      co_await done;
    }
  }

  template <class Done>
  static io::Task<> wait_until(Done done, Duration at_most) {
    const auto end = Steady::now() + at_most;
    while (!done() && Steady::now() < end) co_await io::Loop::current()->sleep(kPoll);
  }

  static io::Task<> keep_lease(WorkerOfThisProcess* self);
  static io::Task<> watch_lease(WorkerOfThisProcess* self);

  const std::shared_ptr<Shared> shared_;
  std::vector<std::unique_ptr<Lanes>> lanes_;
  Claims claims_;
};

io::Task<> WorkerOfThisProcess::stop(Duration grace) {
  const auto shared = shared_;
  const auto deadline = Steady::now() + grace;
  const auto left = [deadline] { return std::chrono::duration_cast<Duration>(deadline - Steady::now()); };
  shared->stopping = true;
  claims_.wake();
  co_await on_all(&Lanes::forget_waiting);
  co_await on_all(&Lanes::close_idle);
  auto nothing_under_way = [shared] { return shared->transactions == 0; };
  co_await wait_until(nothing_under_way, std::min<Duration>(kUnderWay, left()));
  shared->cut = true;
  co_await on_all(&Lanes::let_pass);  // whoever saw it unset is past its final dot now
  auto nothing_past_dot = [shared] { return shared->past_dot == 0; };
  co_await wait_until(nothing_past_dot, left());
  co_await on_all(&Lanes::conclude_in_doubt);
  co_await on_all(&Lanes::close_idle);

  auto settled = [shared] { return shared->finishing == 0 && shared->settlement.pending() == 0; };
  co_await wait_until(settled, std::max<Duration>(left(), 1s));
  std::string error;
  std::size_t released = 0;
  auto release = [shared] { return shared->store.release_all(); };
  try {
    released = co_await shared->pool.run(std::move(release));
  } catch (const std::exception& thrown) {
    error = thrown.what();
  }
  if (!error.empty()) log::warn("worker", "leases could not be returned; they end by themselves", {{"error", error}});
  if (released > 0) log::info("worker", "messages went back to the queue", {{"count", released}});
}

io::Task<> WorkerOfThisProcess::keep_lease(WorkerOfThisProcess* self) {
  const auto shared = self->shared_;
  while (!shared->stopping) {
    const auto next = Steady::now() + kHeartbeat;
    while (!shared->stopping && Steady::now() < next) co_await io::Loop::current()->sleep(200ms);
    if (shared->stopping) break;
    auto work = [self, shared] {
      const bool still_ours = shared->store.heartbeat();
      self->settle_dead();
      return still_ours;
    };
    std::optional<bool> ours;
    try {
      ours = co_await shared->pool.run(std::move(work));
    } catch (const std::exception&) {
      ours.reset();  // the store's owner reports a database that is away; here only the time since counts
    }
    if (ours && *ours) shared->lease_seen = Steady::now();
    shared->lease_lost = ours && !*ours;
    if (shared->lease_lost) {
      measures().lease_lost.add();
      log::error("worker",
                 "the lease was lost: other processes may have taken this one's messages; it lets go of those "
                 "that have not been begun");
      co_await self->on_all(&Lanes::forget_waiting);
    }
  }
}

// Apart from keep_lease(): a heartbeat that hangs, in the pool's queue or in the database, is no heartbeat.
io::Task<> WorkerOfThisProcess::watch_lease(WorkerOfThisProcess* self) {
  const auto shared = self->shared_;
  while (!shared->stopping) {
    const bool freeze = shared->lease_lost || Steady::now() - shared->lease_seen.load() > kFreezeAfter;
    if (freeze != shared->frozen.exchange(freeze)) {
      log::warn("worker", freeze ? "no delivery begins while the lease cannot be renewed" : "deliveries begin again");
    }
    co_await io::Loop::current()->sleep(200ms);
  }
}

}  // namespace

std::unique_ptr<Worker> Worker::make(store::Store& store, const config::Config& config, io::Resolver& resolver,
                                     io::Runtime& runtime, io::Pool& pool, WorkerOptions options, PostToEndpoint post) {
  return std::make_unique<WorkerOfThisProcess>(store, config, resolver, runtime, pool, std::move(options),
                                               std::move(post));
}

}  // namespace posthaste::delivery
