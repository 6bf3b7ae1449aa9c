// The lanes of one event loop, and what goes on in them: preparing messages, opening connections, transactions.
//
//   waiting --prepare (pool)--> ready --connection--> transaction --> concluded
//             |  ^  \--> concluded (held, failed, ...)
//             v  |
//           inspected (loop)
//
// A lane belongs to one loop for its whole life, so nothing here takes a lock; messages come in through add(), posted.
// Preparing runs a few messages ahead. When a round of connecting fails while no other connection of the lane works,
// all messages that had arrived by then share its outcome, after their own steps before `send` had their say.
//
// An HTTP endpoint's lane makes up to eight requests at the same time, one at first and again after one that got no
// answer. Incoming messages that only waited beside one that failed so are put off, attempts unchanged (lane.h).
//
// A connection that breaks before the content was complete costs its message no attempt: it moves to a new connection,
// at most twice. Idle connections stay for five seconds.
//
// What the scanners look at holds no thread and no place among the messages being prepared: a slow scanner holds up
// only what it has to see.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "delivery/connect.h"
#include "delivery/flight.h"
#include "delivery/http_sender.h"
#include "delivery/lane.h"
#include "delivery/pipeline.h"
#include "delivery/settlement.h"
#include "delivery/worker.h"
#include "inspection/inspector.h"
#include "io/hosts_file.h"
#include "io/loop.h"
#include "io/pool.h"
#include "io/resolver.h"

namespace posthaste::delivery {

// What all lanes share. Work on pool threads holds it, so it outlives the worker if need be.
struct Shared {
  store::Store& store;
  const config::Config& config;
  io::Resolver& resolver;
  io::Pool& pool;
  const WorkerOptions options;
  Signer signer;
  SendLimits limits;
  Tools tools;
  Settlement settlement;
  inspection::Inspector inspector;
  std::size_t inspections_per_loop;
  Dial dial;
  PostToEndpoint post;  // null: no HTTP endpoints
  OwnHost own;
  io::HostsFile hosts_file;
  smtp::client::Timeouts timeouts;

  std::atomic<bool> stopping{false};             // nothing new is begun
  std::atomic<bool> cut{false};                  // transactions before their final dot do not pass it any more
  std::atomic<bool> frozen{false};               // the lease could not be renewed: nothing new is begun for now
  std::atomic<bool> database_away{false};        // said once, and once more when it is back
  std::atomic<bool> lease_lost{false};           // another process has it, or its row is gone
  std::atomic<Steady::time_point> lease_seen{};  // the last heartbeat that succeeded
  std::atomic<std::size_t> lanes{0}, connections{0}, transactions{0}, past_dot{0};
  std::atomic<std::size_t> finishing{0};  // outcomes that are not with `settlement` yet
  std::atomic<std::size_t> places{0};     // taken of options.connections, from before connecting until after closing

  std::atomic<std::size_t> posts{0};  // requests to HTTP endpoints

  // Requests have places of their own: endpoints that answer slowly leave those of SMTP connections alone.
  bool take_post() {
    if (posts.fetch_add(1) < options.posts) return true;
    --posts;
    return false;
  }
  bool take_place() {
    if (places.fetch_add(1) < options.connections) return true;
    --places;
    return false;
  }

  Shared(store::Store& store, const config::Config& config, io::Resolver& resolver, io::Pool& pool,
         WorkerOptions options, std::unique_ptr<Journal> journal, Dial dial, PostToEndpoint post = {});
};

class Lanes {
 public:
  Lanes(io::Loop& loop, std::size_t index, std::shared_ptr<Shared> shared)
      : loop_(loop), index_(index), keep_(std::move(shared)), shared_(*keep_) {}

  io::Loop& loop() { return loop_; }

  // All of the following on the loop.
  void start();
  void add(std::vector<store::QueuedMessage> messages);
  // Forgets all messages that no transaction has begun for; their rows keep the lease.
  void forget_waiting();
  void close_idle();
  // A person wants everything tried now: nothing waits for a place that could not be reached.
  void lift_pauses();
  // What is between final dot and reply is concluded as uncertain.
  void conclude_in_doubt();
  void let_pass() {}  // everything posted before has run

 private:
  using LanePtr = std::shared_ptr<Lane>;
  using ConnectionPtr = std::unique_ptr<smtp::client::Connection>;
  using AttemptPtr = std::shared_ptr<Attempt>;
  enum class After { Concluded, Moved, Broken };  // Broken: the connection stopped within a transaction

  LanePtr lane_for(LaneKey key);
  void pump(const LanePtr& lane);
  void pump_all();
  void erase_if_empty(const LanePtr& lane);

  io::Task<> tick();
  io::Task<> prepare(LanePtr lane, Job job);
  io::Task<> run_steps(LanePtr lane, AttemptPtr attempt);
  void inspect_later(const LanePtr& lane, AttemptPtr attempt);
  void start_inspections();
  io::Task<> inspect(LanePtr lane, AttemptPtr attempt);
  void prepared(LanePtr lane, AttemptPtr attempt);
  io::Task<> open(LanePtr lane);
  void opening_failed(const LanePtr& lane, ConnectFailure failure);
  void end_failed(const LanePtr& lane);
  void put_off_later(AttemptPtr attempt, Duration wait);
  void pump_posts(const LanePtr& lane);
  io::Task<> post(LanePtr lane, AttemptPtr attempt);
  io::Task<HttpOutcome> post_once(AttemptPtr attempt);
  // `granted`: pump() counted on this connection to take one of the ready messages.
  io::Task<> carry(LanePtr lane, ConnectionPtr connection, bool granted);
  io::Task<After> transact(smtp::client::Connection& connection, AttemptPtr attempt);
  io::Task<> quit(ConnectionPtr connection);
  void closed(ConnectionPtr connection);
  void finish_later(AttemptPtr attempt);
  io::Task<std::optional<store::Conclusion>> run_consequences(AttemptPtr attempt);
  io::Task<> finish(AttemptPtr attempt);
  InDoubt in_doubt(const Flight& flight);
  io::Task<> resume_after_trouble();

  io::Task<> load_raw(AttemptPtr attempt);
  void begin(Attempt& attempt);
  void stumble(AttemptPtr attempt, const std::exception& error);

  io::Loop& loop_;
  const std::size_t index_;
  const std::shared_ptr<Shared> keep_;
  Shared& shared_;
  std::map<LaneKey, LanePtr> lanes_;
  std::vector<std::shared_ptr<Flight>> flights_;
  std::deque<std::pair<LanePtr, AttemptPtr>> to_inspect_;
  std::size_t inspecting_ = 0;
  bool trouble_ = false;  // the database does not answer: preparing pauses
};

// The database cannot be asked now. Anything else that goes wrong is a matter of the one message.
bool is_database_trouble(const std::exception& error);

// One line in the log for an attempt with a verdict. `endpoint` empty: not over SMTP.
void log_outcome(const Attempt& attempt, const std::string& endpoint);

// The lane of a queue row, as far as that can tell, and from it the loop.
LaneKey lane_key(const store::QueuedMessage& message, const Shared& shared);
std::size_t loop_of(const LaneKey& key, std::size_t loops);

}  // namespace posthaste::delivery
