#include "delivery/lanes.h"

#include "base/log.h"
#include "base/random.h"
#include "base/strings.h"
#include "delivery/flight.h"
#include "delivery/measures.h"
#include "sql/sql.h"

namespace posthaste::delivery {

namespace {

constexpr auto kTick = 500ms;
constexpr auto kIdle = 5s;
constexpr auto kTroublePause = 1s;
constexpr auto kAfterRefusedConnection = 30s;
constexpr std::size_t kMostWithScanners = 20;  // of a lane: their bodies are in memory
constexpr std::size_t kSmall = 32 * 1024;      // bodies up to here may wait in memory for a connection

}  // namespace

bool is_database_trouble(const std::exception& error) {
  const auto* failure = dynamic_cast<const sql::Failure*>(&error);
  if (!failure) return false;
  using Kind = sql::FailureKind;
  return failure->kind() == Kind::Unreachable || failure->kind() == Kind::Conflict || failure->kind() == Kind::Full ||
         failure->kind() == Kind::Denied;
}

Shared::Shared(store::Store& the_store, const config::Config& the_config, io::Resolver& the_resolver,
               io::Pool& the_pool, WorkerOptions the_options, std::unique_ptr<Journal> journal, Dial the_dial,
               PostToEndpoint the_post)
    : store(the_store),
      config(the_config),
      resolver(the_resolver),
      pool(the_pool),
      options(std::move(the_options)),
      signer(config),
      limits(store),
      tools{store,
            config,
            options.clock,
            [] { return double(random_below(1U << 20)) / double(1U << 20); },
            signer,
            limits,
            {config.delivery.retry_jitter, config.delivery.retry_scale}},
      settlement(store, std::move(journal), {options.window, options.lane_backlog}),
      inspector(config, resolver),
      inspections_per_loop(std::size_t(config.inspection.concurrency)),
      dial(std::move(the_dial)),
      post(std::move(the_post)),
      own(own_host(config, interface_addresses())),
      timeouts(timeouts_of(config)) {}

LaneKey lane_key(const store::QueuedMessage& message, const Shared& shared) {
  const auto directory = shared.store.directory();
  return lane_key(destination_of(message, *directory), message.ip_address_id,
                  !shared.config.postal.smtp_relays.empty());
}

std::size_t loop_of(const LaneKey& key, std::size_t loops) {
  return (std::hash<std::string>{}(key.site) ^ std::size_t(key.source.value_or(0)) * 0x9E3779B97F4A7C15U) % loops;
}

void Lanes::start() { loop_.spawn(tick(), "lanes"); }

void Lanes::add(std::vector<store::QueuedMessage> messages) {
  std::vector<LanePtr> touched;
  for (auto& message : messages) {
    auto lane = lane_for(lane_key(message, shared_));
    const auto server = message.server_id;
    lane->waiting.push(server, {std::move(message), ++lane->arrivals});
    if (touched.empty() || touched.back() != lane) touched.push_back(std::move(lane));
  }
  for (const auto& lane : touched) pump(lane);
}

Lanes::LanePtr Lanes::lane_for(LaneKey key) {
  auto& lane = lanes_[key];
  if (!lane) {
    lane = std::make_shared<Lane>();
    lane->key = std::move(key);
    ++shared_.lanes;
  }
  return lane;
}

void Lanes::erase_if_empty(const LanePtr& lane) {
  const auto at = lanes_.find(lane->key);
  if (Steady::now() < lane->paused_until) return;
  if (!lane->empty() || at == lanes_.end() || at->second != lane) return;
  lanes_.erase(at);
  --shared_.lanes;
}

void Lanes::pump_all() {
  std::vector<LanePtr> all;
  for (const auto& [key, lane] : lanes_) all.push_back(lane);
  for (const auto& lane : all) pump(lane);
}

void Lanes::pump(const LanePtr& lane) {
  if (shared_.stopping) return;
  end_failed(lane);
  if (shared_.frozen || trouble_) return;

  while (!lane->waiting.empty() && lane->preparing + lane->ready.size() < prefetch(*lane) &&
         lane->inspecting < kMostWithScanners && to_inspect_.size() < 2 * shared_.inspections_per_loop) {
    ++lane->preparing;
    loop_.spawn(prepare(lane, std::move(*lane->waiting.pop())), "prepare");
  }
  if (lane->key.kind == Destination::Kind::Http) {
    pump_posts(lane);
    erase_if_empty(lane);
    return;
  }
  while (!lane->idle.empty() && !lane->ready.empty() && lane->ready.size() > lane->granted) {
    auto connection = std::move(lane->idle.back().connection);  // the youngest is the likeliest to live
    lane->idle.pop_back();
    ++lane->granted;
    loop_.spawn(carry(lane, std::move(connection), true), "connection");
  }
  if (!lane->moved.empty() && lane->connections >= shared_.options.lane_connections && !lane->idle.empty()) {
    loop_.spawn(quit(std::move(lane->idle.front().connection)), "connection");
    lane->idle.pop_front();
    --lane->connections;
  }
  // Without a place the lane waits; each tick asks again.
  if (wants_connection(*lane, shared_.options.lane_connections, Steady::now()) && shared_.take_place()) {
    lane->connecting = true;
    ++lane->connections;
    loop_.spawn(open(lane), "connection");
  }
  erase_if_empty(lane);
}

io::Task<> Lanes::tick() {
  while (!shared_.stopping) {
    co_await loop_.sleep(kTick);
    const auto now = Steady::now();
    for (const auto& [key, lane] : lanes_) {
      while (!lane->idle.empty() && now - lane->idle.front().since > kIdle) {
        loop_.spawn(quit(std::move(lane->idle.front().connection)), "connection");
        lane->idle.pop_front();
        --lane->connections;
      }
    }
    pump_all();
  }
}

void Lanes::begin(Attempt& attempt) {
  attempt.started = shared_.tools.clock();
  if (attempt.queued().attempts > 0) return;
  const auto waited = attempt.started - attempt.queued().created_at;
  measures().queue_latency.observe(std::max(0.0, std::chrono::duration<double>(waited).count()));
}

io::Task<> Lanes::prepare(LanePtr lane, Job job) {
  auto attempt = std::make_shared<Attempt>();
  attempt->job = std::move(job);
  begin(*attempt);
  co_await run_steps(std::move(lane), std::move(attempt));
}

io::Task<> Lanes::run_steps(LanePtr lane, AttemptPtr attempt) {
  auto work = [attempt, shared = keep_] { return run_before_send(*attempt, shared->tools); };

  std::optional<store::Conclusion> ended;
  std::exception_ptr failure;
  try {
    ended = co_await shared_.pool.run(std::move(work));
  } catch (...) {
    failure = std::current_exception();
  }
  --lane->preparing;
  if (!failure && shared_.database_away.exchange(false)) log::info("worker", "the database can be read again");
  if (shared_.stopping) {
    shared_.settlement.forget(attempt->queued());
  } else if (failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      if (is_database_trouble(error)) {
        const auto server = attempt->queued().server_id;
        lane->waiting.push_front(server, std::move(attempt->job));
        if (!sql::unreachable(error) && !shared_.database_away.exchange(true)) {
          log::warn("worker", "the database cannot be read; deliveries wait", {{"error", error.what()}});
        }
        if (!std::exchange(trouble_, true)) loop_.spawn(resume_after_trouble(), "resume");
      } else {
        stumble(std::move(attempt), error);
      }
    }
  } else if (ended) {
    measures().concluded(*ended, "");
    measures().worked(index_, shared_.tools.clock() - attempt->started);
    shared_.settlement.conclude(attempt->queued(), std::move(*ended));
  } else if (attempt->awaits_inspection) {
    inspect_later(lane, std::move(attempt));
  } else {
    prepared(lane, std::move(attempt));
  }
  pump(lane);
}

// The row may have promised another place than the steps have found: an endpoint that was changed, a row of Postal's.
void Lanes::prepared(LanePtr lane, AttemptPtr attempt) {
  const auto& destination = attempt->destination;
  const bool relays = !shared_.config.postal.smtp_relays.empty();
  LaneKey key = lane_key(destination, attempt->queued().ip_address_id, relays);
  if (key != lane->key) {
    lane = lane_for(std::move(key));
    attempt->job.arrival = ++lane->arrivals;
  }
  const bool connected = lane->connections > (lane->connecting ? 1U : 0U);
  if (!connected && attempt->raw->size() > kSmall) {
    attempt->raw.reset();
    shared_.settlement.drop_raw(attempt->job.queued);
  }
  if (lane->ready.empty()) lane->ready_since = Steady::now();
  lane->ready.push_back(std::move(attempt));
  pump(lane);
}

io::Task<> Lanes::resume_after_trouble() {
  co_await loop_.sleep(kTroublePause);
  trouble_ = false;
  pump_all();
}

void Lanes::stumble(AttemptPtr attempt, const std::exception& error) {
  measures().errors.add({{"error", "delivery"}});
  auto conclusion = internal_error(*attempt, shared_.tools, error);
  measures().concluded(conclusion, "");
  shared_.settlement.conclude(attempt->queued(), std::move(conclusion), attempt->ticket);
}

io::Task<> Lanes::open(LanePtr lane) {
  if (lane->moved.empty() && lane->ready.empty()) {  // another connection was quicker
    lane->connecting = false;
    --lane->connections;
    --shared_.places;
    erase_if_empty(lane);
    co_return;
  }
  const auto first = lane->moved.empty() ? lane->ready.front() : lane->moved.front();
  Destination destination = first->destination;
  first->tried = true;
  const auto& config = shared_.tools.config;
  auto directory = shared_.tools.store.directory();
  const auto* row = lane->key.source ? directory->ip_address(*lane->key.source) : nullptr;
  RoutingRules rules{config.postal.smtp_relays, shared_.own, {}, domain_is_ours(*directory, config, destination.name)};
  if (destination.kind == Destination::Kind::Host) rules.known = shared_.hosts_file.find(destination.name);
  Source source = source_of(row, config);
  source.helo_only = first->helo_only;

  Connected outcome = ConnectFailure{};
  try {
    outcome = co_await connect(shared_.resolver, shared_.dial, destination, std::move(rules), std::move(source),
                               shared_.timeouts);
  } catch (const std::exception& error) {
    log::error("worker", std::string("internal error while connecting: ") + error.what(), {{"to", destination.name}});
    outcome = ConnectFailure{{}, "", {}, error.what(), ""};
  }
  lane->connecting = false;
  if (auto* failure = std::get_if<ConnectFailure>(&outcome)) {
    opening_failed(lane, std::move(*failure));
    co_return;
  }
  note_success(*lane);
  ++shared_.connections;
  measures().connections.set(double(shared_.connections.load()));
  co_await carry(lane, std::move(std::get<ConnectionPtr>(outcome)), false);
}

void Lanes::opening_failed(const LanePtr& lane, ConnectFailure failure) {
  --lane->connections;
  --shared_.places;
  if (lane->connections > 0) {
    lane->no_more_until = Steady::now() + kAfterRefusedConnection;
  } else {
    lane->failure = std::move(failure);
    lane->failed_up_to = lane->arrivals;
    note_failure(*lane, Steady::now());
  }
  pump(lane);
}

void Lanes::end_failed(const LanePtr& lane) {
  Tools& tools = shared_.tools;
  const auto now = Steady::now();
  for (auto& attempt : take_paused(*lane, now)) {
    const auto wait = put_off_for(*lane, *attempt, tools.retry_plan, tools.clock(), now, tools.chance());
    if (wait) {
      put_off_later(std::move(attempt), *wait);
    } else {
      lane->ready.push_back(std::move(attempt));
    }
  }
  for (auto& attempt : take_failed(*lane)) {
    const auto wait = put_off_for(*lane, *attempt, tools.retry_plan, tools.clock(), now, tools.chance());
    if (wait) {
      put_off_later(std::move(attempt), *wait);
      continue;
    }
    if (lane->failure) set_verdict(*attempt, *lane->failure);
    if (lane->no_answer) attempt->verdict = lane->no_answer;
    finish_later(std::move(attempt));
  }
}

void Lanes::put_off_later(AttemptPtr attempt, Duration wait) {
  log::info("worker", "message waits: its endpoint cannot be reached",
            {{"message", attempt->queued().message_id}, {"server", attempt->queued().server_id}});
  shared_.settlement.conclude(attempt->queued(), put_off(*attempt, shared_.tools.clock() + wait));
}

void Lanes::lift_pauses() {
  for (const auto& [key, lane] : lanes_) lane->paused_until = {};
  pump_all();
}

void Lanes::forget_waiting() {
  for (const auto& [lane, attempt] : to_inspect_) {
    --lane->inspecting;
    shared_.settlement.forget(attempt->queued());
  }
  to_inspect_.clear();
  for (const auto& [key, lane] : lanes_) {
    while (auto job = lane->waiting.pop()) shared_.settlement.forget(job->queued);
    for (const auto& attempt : lane->ready) shared_.settlement.forget(attempt->queued());
    for (const auto& attempt : lane->moved) shared_.settlement.forget(attempt->queued());
    lane->ready.clear();
    lane->moved.clear();
  }
}

void Lanes::close_idle() {
  for (const auto& [key, lane] : lanes_) {
    for (auto& idle : lane->idle) loop_.spawn(quit(std::move(idle.connection)), "connection");
    lane->connections -= lane->idle.size();
    lane->idle.clear();
  }
}

}  // namespace posthaste::delivery
