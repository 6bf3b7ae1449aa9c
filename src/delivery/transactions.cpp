// The half of Lanes that talks: a connection carries one message after the other, and each outcome is settled.
#include <stdexcept>

#include "base/log.h"
#include "base/random.h"
#include "delivery/lanes.h"
#include "delivery/measures.h"
#include "delivery/spam_fields.h"
#include "delivery/wire.h"
#include "events/requests.h"

namespace posthaste::delivery {

using smtp::client::Connection;
using smtp::client::Outcome;

namespace {

constexpr int kMostMoves = 2;
constexpr auto kBounceAgain = 1s;

// Thrown out of a transaction whose final dot must not be sent any more.
struct Cut : std::runtime_error {
  Cut() : std::runtime_error("shutting down") {}
};

policy::Verdict verdict_of(const Attempt& attempt, const Outcome& outcome, const smtp::client::Target& target) {
  const std::string endpoint = target.text(), source = target.source ? target.source->text() : "";
  policy::Attempt what;
  what.kind = policy::Attempt::Kind(outcome.kind);
  what.stage = policy::Stage(outcome.stage);
  what.code = outcome.reply.code;
  what.reply = outcome.reply.text;
  what.error = outcome.error;
  what.rcpt_to = attempt.endpoint_type == "AddressEndpoint" ? attempt.envelope.rcpt_to : attempt.message.rcpt_to;
  what.endpoint = endpoint;
  what.source_ip = source;
  what.attempts = attempt.queued().attempts;
  what.helo_only = target.helo_only;
  return policy::judge(what);
}

// Whose refusal has to be told to the sender: without that the outcome must not be recorded. Everything else that the
// steps behind sending find may be left out.
bool owes_bounce(const Attempt& attempt) {
  return attempt.message.scope == "incoming" && attempt.verdict->status == policy::Verdict::Status::HardFail &&
         attempt.tells_sender;
}

log::Fields names(const Attempt& attempt) {
  return {{"message", attempt.queued().message_id},
          {"server", attempt.queued().server_id},
          {"token", attempt.message.token},
          {"log_id", attempt.log_id}};
}

}  // namespace

void log_outcome(const Attempt& attempt, const std::string& endpoint) {
  const auto& verdict = *attempt.verdict;
  auto fields = names(attempt);
  if (verdict.status == policy::Verdict::Status::Sent) {
    const bool smtp = !endpoint.empty();
    log::info("worker", smtp ? "Accepted by " + endpoint + " for " + attempt.message.rcpt_to : verdict.details, fields);
    return;
  }
  fields.emplace_back("status", policy::to_text(verdict.status));
  fields.emplace_back("output", verdict.output);
  log::info("worker", verdict.details, fields);
  if (verdict.status == policy::Verdict::Status::SoftFail)
    log::debug("worker", "message requeued for trying later", fields);
}

InDoubt Lanes::in_doubt(const Flight& flight) {
  const store::QueuedMessage& queued = flight.attempt->queued();
  return {queued.server_id, queued.message_id,     queued.queue_id,
          flight.endpoint,  shared_.tools.clock(), shared_.tools.store.lease()};
}

io::Task<> Lanes::carry(LanePtr lane, ConnectionPtr connection, bool granted) {
  const int limit = int(shared_.options.messages_per_connection);
  const bool helo_only = connection->target().helo_only;
  bool whole = true;
  if (granted) --lane->granted;
  while (whole && connection->usable() && connection->transactions() < limit && !shared_.stopping && !shared_.frozen) {
    auto attempt = take_for(*lane, connection->transactions() == 0, helo_only);
    if (!attempt) break;
    pump(lane);  // one place is free: prepare the next while this one is sent
    const After after = co_await transact(*connection, attempt);
    whole = after != After::Broken;
    if (after == After::Moved) lane->moved.push_back(std::move(attempt));
    if (after == After::Concluded) finish_later(std::move(attempt));
  }
  if (whole && connection->usable() && connection->transactions() < limit && !helo_only && !shared_.stopping) {
    lane->idle.push_back({std::move(connection), Steady::now()});
    pump(lane);
    co_return;
  }
  --lane->connections;
  pump(lane);
  if (whole) co_await connection->quit();
  closed(std::move(connection));
}

io::Task<> Lanes::quit(ConnectionPtr connection) {
  co_await connection->quit();
  closed(std::move(connection));
}

void Lanes::closed(ConnectionPtr connection) {
  connection.reset();
  --shared_.connections;
  --shared_.places;
  measures().connections.set(double(shared_.connections.load()));
}

// A body that was too large to wait in memory.
io::Task<> Lanes::load_raw(AttemptPtr attempt) {
  auto work = [attempt, shared = keep_] { return shared->store.raw(attempt->queued().server_id, attempt->message); };
  auto raw = co_await shared_.pool.run(std::move(work));
  if (!raw) throw std::runtime_error("the raw message has gone");
  attempt->raw = attempt->foreign_verdicts ? without_spam_fields(*raw) : std::move(raw);
}

io::Task<Lanes::After> Lanes::transact(Connection& connection, AttemptPtr attempt) {
  auto flight = std::make_shared<Flight>();
  flight->attempt = attempt.get();
  flight->endpoint = connection.target().text();
  flights_.push_back(flight);
  ++shared_.transactions;
  attempt->log_id = random_upper_alphanumeric(8);
  attempt->no_connection.reset();
  log::debug("worker",
             fmt::format("Sending message {}::{} to {}", attempt->queued().server_id, attempt->queued().message_id,
                         attempt->message.rcpt_to),
             names(*attempt));

  auto before_dot = [this, flight] {
    if (shared_.cut) throw Cut();
    flight->past_dot = true;
    ++shared_.past_dot;
    auto* journal = shared_.settlement.journal();
    if (journal) {
      flight->attempt->ticket = journal->sending(in_doubt(*flight));
    }
  };

  std::optional<Outcome> outcome;
  std::exception_ptr failure;
  const auto began = Steady::now();
  try {
    if (!attempt->raw) co_await load_raw(attempt);
    if (!attempt->counted && attempt->message.scope == "outgoing")
      shared_.tools.store.count_sent(attempt->queued().server_id, shared_.tools.clock());
    attempt->counted = true;
    attempt->limit_place.give_back();
    const std::string front =
        resent_sender(attempt->envelope.mail_from, shared_.tools.config.postal.use_resent_sender_header) +
        attempt->trace_header + attempt->added_headers;
    auto pieces = wire_pieces(front, *attempt->raw);
    auto envelope = attempt->envelope;
    std::function<void()> at_dot = before_dot;
    outcome = co_await connection.send(std::move(envelope), std::move(pieces), std::move(at_dot));
  } catch (...) {
    failure = std::current_exception();
  }
  std::erase(flights_, flight);
  --shared_.transactions;
  if (flight->past_dot) --shared_.past_dot;
  if (flight->settled) co_return After::Broken;

  if (failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const Cut&) {
      shared_.settlement.forget(attempt->queued());
    } catch (const std::exception& error) {
      stumble(std::move(attempt), error);
    }
    co_return After::Broken;
  }

  const std::chrono::duration<double> took = Steady::now() - began;
  attempt->seconds = took.count();
  attempt->over_tls = connection.tls();
  attempt->verdict = verdict_of(*attempt, *outcome, connection.target());
  measures().transaction.observe(took.count());
  if (outcome->kind == Outcome::Kind::Broken && attempt->ticket) {
    // Broken before the content was complete: nothing is in doubt.
    shared_.settlement.journal()->settled(*attempt->ticket);
    attempt->ticket.reset();
  }
  if (attempt->verdict->retry_with_helo && !attempt->helo_only && !shared_.stopping) {
    attempt->helo_only = true;
    co_return After::Moved;
  }
  if (attempt->verdict->retry_elsewhere && attempt->moves < kMostMoves && !shared_.stopping) {
    ++attempt->moves;
    co_return After::Moved;
  }
  if (outcome->kind == Outcome::Kind::Uncertain) {
    measures().uncertain.add();
    log::warn("worker", "in doubt: " + flight->endpoint + " may have taken the message", names(*attempt));
  }
  log_outcome(*attempt, flight->endpoint);
  co_return After::Concluded;
}

void Lanes::finish_later(AttemptPtr attempt) {
  ++shared_.finishing;
  loop_.spawn(finish(std::move(attempt)), "delivery");
}

// What the steps behind sending come to; nothing if they cannot be run.
io::Task<std::optional<store::Conclusion>> Lanes::run_consequences(AttemptPtr attempt) {
  auto work = [attempt, shared = keep_] { return run_after_send(*attempt, shared->tools); };
  for (;;) {
    std::string what;
    bool later = false;
    try {
      store::Conclusion conclusion = co_await shared_.pool.run(work);
      co_return std::optional(std::move(conclusion));
    } catch (const std::exception& error) {
      what = error.what();
      later = is_database_trouble(error) && owes_bounce(*attempt);
    }
    if (!later || shared_.stopping) {
      log::warn("worker", "cannot draw the consequences of an outcome: " + what, names(*attempt));
      co_return std::nullopt;
    }
    co_await loop_.sleep(kBounceAgain);
  }
}

io::Task<> Lanes::finish(AttemptPtr attempt) {
  Tools* const tools = &shared_.tools;
  std::optional<store::Conclusion> conclusion;
  const bool consequences = needs_pool_after_send(*attempt);
  if (consequences) conclusion = co_await run_consequences(attempt);
  if (consequences && !conclusion && owes_bounce(*attempt)) {
    // The sender would never hear of it. It is tried again, and refused again.
    if (shared_.stopping) {
      shared_.settlement.forget(attempt->queued());
    } else {
      stumble(std::move(attempt), std::runtime_error("the bounce to the sender could not be made"));
    }
    --shared_.finishing;
    co_return;
  }
  if (!conclusion) conclusion = run_after_send(*attempt, *tools, false);
  if (attempt->no_connection) log_outcome(*attempt, "");
  const auto classification = attempt->verdict->status == policy::Verdict::Status::Sent
                                  ? std::string_view()
                                  : policy::to_text(attempt->verdict->classification);
  measures().concluded(*conclusion, classification);
  measures().worked(index_, shared_.tools.clock() - attempt->started);
  shared_.settlement.conclude(attempt->queued(), std::move(*conclusion), attempt->ticket);
  --shared_.finishing;
}

void Lanes::conclude_in_doubt() {
  for (const auto& flight : flights_) {
    if (!flight->past_dot || flight->settled) continue;
    flight->settled = true;
    const Attempt& attempt = *flight->attempt;
    auto end = interrupted(in_doubt(*flight), shared_.tools.clock(), shared_.tools.retry_plan);
    auto conclusion = conclusion_for(attempt);
    conclusion.delivery = std::move(end.delivery);
    conclusion.queue = end.queue;
    conclusion.retry_at = end.retry_at;
    conclusion.lease = std::move(end.lease);
    events::tell_of_delivery(*attempt.directory, attempt.message, conclusion);
    measures().uncertain.add();
    log::warn("worker", "in doubt: shut down before " + flight->endpoint + " answered", names(attempt));
    shared_.settlement.conclude(attempt.queued(), std::move(conclusion), attempt.ticket);
  }
}

}  // namespace posthaste::delivery
