// Messages through the lanes of a worker, with remote hosts that answer as each test says.
#include "delivery/lanes.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "delivery/fake_resolver.h"
#include "delivery/fake_store.h"
#include "sql/sql.h"

namespace posthaste::delivery {
namespace {

using smtp::client::Connection;
using smtp::client::Envelope;
using smtp::client::Outcome;
using smtp::client::Stage;
using smtp::client::Target;

Outcome accepted() { return {Outcome::Kind::Accepted, Stage::Content, {250, "250 ok"}, ""}; }
Outcome refused(int code, const std::string& text) { return {Outcome::Kind::Refused, Stage::Rcpt, {code, text}, ""}; }
Outcome broken() { return {Outcome::Kind::Broken, Stage::Mail, {}, "end of file reached"}; }
Outcome uncertain() { return {Outcome::Kind::Uncertain, Stage::Content, {}, "end of file reached"}; }

// What the world outside does, and what it saw.
struct World {
  std::mutex mutex;
  std::function<Result<>(const Target&)> on_connect = [](const Target&) { return Result<>(); };
  std::function<Outcome(const Envelope&, int transaction, const Target&)> on_message = [](auto&&...) {
    return accepted();
  };
  Duration takes = 0ms;      // before the outcome
  Duration after_dot = 0ms;  // between final dot and outcome
  std::vector<std::string> connects, recipients, bodies;
  std::atomic<int> open{0}, quits{0};
};

class FakeConnection : public Connection {
 public:
  FakeConnection(World& world, Target target) : world_(world), target_(std::move(target)) { ++world_.open; }
  ~FakeConnection() override { --world_.open; }

  io::Task<Outcome> send(Envelope envelope, std::vector<std::string_view> pieces,
                         std::function<void()> before_dot) override {
    const int number = transactions_++;
    if (world_.takes > 0ms) co_await io::Loop::current()->sleep(world_.takes);
    const Outcome outcome = world_.on_message(envelope, number, target_);
    if (outcome.stage == Stage::Content) before_dot();
    if (world_.after_dot > 0ms) co_await io::Loop::current()->sleep(world_.after_dot);
    std::lock_guard lock(world_.mutex);
    usable_ = outcome.kind == Outcome::Kind::Accepted || outcome.kind == Outcome::Kind::Refused;
    if (outcome.kind == Outcome::Kind::Accepted) {
      world_.recipients.push_back(envelope.rcpt_to);
      std::string body;
      for (auto piece : pieces) body += piece;
      world_.bodies.push_back(std::move(body));
    }
    co_return outcome;
  }
  bool usable() const override { return usable_; }
  int transactions() const override { return transactions_; }
  bool tls() const override { return false; }
  const Target& target() const override { return target_; }
  io::Task<> quit() override {
    ++world_.quits;
    co_return;
  }

 private:
  World& world_;
  Target target_;
  bool usable_ = true;
  int transactions_ = 0;
};

io::Task<Result<std::unique_ptr<Connection>>> dial(World* world, Target target) {
  {
    std::lock_guard lock(world->mutex);
    world->connects.push_back(target.text());
  }
  co_await io::Loop::current()->sleep(5ms);
  if (auto answer = world->on_connect(target); !answer) co_return std::unexpected(answer.error());
  std::unique_ptr<Connection> connection = std::make_unique<FakeConnection>(*world, std::move(target));
  co_return std::move(connection);
}

// What HTTP endpoints do, and what they saw.
struct Web {
  std::mutex mutex;
  std::function<HttpOutcome(const HttpEndpointCall&)> on_post = [](auto&&...) { return HttpOutcome(); };
  Duration takes = 0ms;
  std::vector<HttpEndpointCall> calls;
  int now = 0, most = 0;  // at the same time
};

HttpOutcome posted(policy::Verdict::Status status, bool unreachable = false) {
  HttpOutcome outcome;
  outcome.verdict.status = status;
  outcome.verdict.details = "Received an answer from https://hook.test/in";
  outcome.unreachable = unreachable;
  outcome.tells_sender = false;
  outcome.over_tls = true;
  outcome.seconds = 0.25;
  return outcome;
}

io::Task<HttpOutcome> answer(Web* web, HttpEndpointCall call) {
  {
    std::lock_guard lock(web->mutex);
    web->most = std::max(web->most, ++web->now);
    web->calls.push_back(call);
  }
  co_await io::Loop::current()->sleep(std::max<Duration>(web->takes, 1ms));
  std::lock_guard lock(web->mutex);
  --web->now;
  co_return web->on_post(call);
}

class LanesTest : public ::testing::Test {
 protected:
  LanesTest() {
    folder_ = std::filesystem::temp_directory_path() / ("lanes-" + random_hex(12));
    std::filesystem::create_directories(folder_);
    config.postal.signing_key_path = (folder_ / "signing.key").string();
    std::ofstream(config.postal.signing_key_path) << trust::SigningKey::generate_rsa_pem(1024);
    config.profile = config::Profile::Postal;
    config.dns.return_path_domain = "rp.example.org";
    config.delivery.retry_jitter = 0;
    dns.set_mx("x.test", {{10, "mx.x.test"}});
    dns.set_a("mx.x.test", {"192.0.2.1"});
  }
  ~LanesTest() override {
    if (shared) shared->stopping = true;
    runtime.stop();
    lanes.reset();
    std::filesystem::remove_all(folder_);
  }

  void run(std::vector<store::QueuedMessage> messages) {
    if (!shared) {
      auto journal = std::move(Journal::open((folder_ / "journal").string()).value());
      shared = std::make_shared<Shared>(
          db, config, dns, pool, options, std::move(journal),
          [this](Target target, smtp::client::Timeouts) { return dial(&world, std::move(target)); },
          [this](HttpEndpointCall call) { return answer(&web, std::move(call)); });
      lanes = std::make_unique<Lanes>(runtime.at(0), 0, shared);
      runtime.start();
      lanes->start();
    }
    for (const auto& message : messages) shared->settlement.took(message);
    on_loop([this, &messages] { lanes->add(std::move(messages)); });
  }
  void on_loop(std::function<void()> work) {
    std::atomic<bool> done{false};
    runtime.at(0).post([&] {
      work();
      done = true;
    });
    while (!done) std::this_thread::sleep_for(1ms);
  }
  bool soon(const std::function<bool()>& is, Duration within = 5s) {
    for (const auto end = Steady::now() + within; Steady::now() < end; std::this_thread::sleep_for(2ms)) {
      if (is()) return true;
    }
    return is();
  }
  bool concluded(std::size_t count) {
    return soon([&] { return db.concluded().size() >= count; });
  }
  std::vector<store::QueuedMessage> messages(int count, const std::string& domain = "x.test") {
    std::vector<store::QueuedMessage> all;
    for (int i = 0; i < count; ++i) {
      ++last_;
      all.push_back(testing::add_message(db, last_, "r" + std::to_string(last_) + "@" + domain));
    }
    return all;
  }
  // Incoming messages for an endpoint of route 7; their rows name it.
  std::vector<store::QueuedMessage> incoming(int count, const std::string& type, store::Id endpoint) {
    auto all = messages(count, "example.com");
    store::Route& route = db.dir->routes_by_id[7];
    route.id = 7;
    route.uuid = "route-uuid";
    route.mode = "Endpoint";
    db.dir->servers_by_id[1].spam_threshold = 5;
    db.dir->smtp_endpoints[3] = {.id = 3, .hostname = "192.0.2.30", .ssl_mode = "None", .port = 2525};
    db.dir->http_endpoints[4] = {.id = 4, .url = "https://hook.test/in"};
    db.dir->http_endpoints[5] = {.id = 5, .url = "https://slow.test/in"};
    for (auto& queued : all) {
      auto& message = db.messages.at(queued.message_id);
      message.scope = "incoming";
      message.route_id = queued.route_id = 7;
      message.endpoint_type = type;
      message.endpoint_id = endpoint;
      queued.created_at = options.clock();
      queued.batch_key = "incoming-rt:7-ep:" + std::to_string(endpoint) + "-" + type;
    }
    return all;
  }
  std::size_t put_off_count() {
    return std::size_t(std::ranges::count_if(
        db.concluded(), [](const auto& c) { return !c.delivery && c.queue == store::QueueChange::Wait; }));
  }
  std::size_t with_status(const std::string& status) {
    return std::size_t(std::ranges::count_if(
        db.concluded(), [&](const auto& c) { return c.delivery && c.delivery->status == status; }));
  }

  World world;
  Web web;
  testing::FakeStore db;
  testing::FakeResolver dns;
  config::Config config;
  WorkerOptions options;
  io::Runtime runtime{1};
  io::Pool pool{2};
  std::shared_ptr<Shared> shared;
  std::unique_ptr<Lanes> lanes;

 private:
  std::filesystem::path folder_;
  store::Id last_ = 0;
};

TEST_F(LanesTest, SendsMessagesOfADomainOverOneConnection) {
  run(messages(8));
  ASSERT_TRUE(concluded(8));
  EXPECT_EQ(with_status("Sent"), 8U);
  EXPECT_EQ(world.connects.size(), 1U);
  const auto concluded = db.concluded();  // outcomes are written on several threads, so in any order
  const auto first = std::ranges::find(concluded, "Message for r1@x.test accepted by 192.0.2.1:25 (mx.x.test)",
                                       [](const auto& c) { return c.delivery->details; });
  ASSERT_NE(first, concluded.end());
  const auto& row = *first->delivery;
  EXPECT_EQ(row.output, "250 ok");
  EXPECT_EQ(row.log_id.size(), 8U);
  EXPECT_TRUE(row.seconds);
  EXPECT_EQ(shared->settlement.in_memory(), 0U);
  EXPECT_EQ(shared->settlement.journal()->open_attempts(), 0U);
}

TEST_F(LanesTest, PutsAddedHeadersInFront) {
  run(messages(1));
  ASSERT_TRUE(concluded(1));
  const auto& body = world.bodies.front();
  EXPECT_TRUE(body.starts_with("Resent-Sender: abcdef+b")) << body;
  EXPECT_LT(body.find("\r\nDKIM-Signature: "),
            body.find("\r\nX-Postal-MsgID: tokentokentoken1\r\nFrom: a@example.com\r\n"));
}

TEST_F(LanesTest, OpensMoreConnectionsForABacklog) {
  world.takes = 20ms;
  run(messages(120));
  ASSERT_TRUE(concluded(120));
  EXPECT_EQ(with_status("Sent"), 120U);
  EXPECT_GT(world.connects.size(), 2U);
  EXPECT_LE(world.connects.size(), 12U);
}

TEST_F(LanesTest, GivesEachConnectionItsNumberOfMessages) {
  options.messages_per_connection = 3;
  run(messages(7));
  ASSERT_TRUE(concluded(7));
  EXPECT_GE(world.connects.size(), 3U);
  EXPECT_TRUE(soon([&] { return world.quits >= 2; }));
}

TEST_F(LanesTest, QuitsAnIdleConnectionAfterAWhile) {
  run(messages(1));
  ASSERT_TRUE(concluded(1));
  EXPECT_EQ(world.quits, 0);
  EXPECT_TRUE(soon([&] { return world.quits == 1 && world.open == 0; }, 8s));
  EXPECT_TRUE(soon([&] { return shared->lanes == 0; }));
}

TEST_F(LanesTest, SharesAFailedRoundOfConnecting) {
  world.on_connect = [](const Target&) { return Result<>(fail(ErrorKind::Unavailable, "Connection refused")); };
  run(messages(3));
  ASSERT_TRUE(concluded(3));
  EXPECT_EQ(world.connects.size(), 1U);
  const auto all = db.concluded();
  for (const auto& conclusion : all) {
    EXPECT_EQ(conclusion.delivery->status, "SoftFail");
    EXPECT_EQ(conclusion.delivery->details, "No SMTP servers were available for x.test. Tried mx.x.test.");
    EXPECT_EQ(conclusion.delivery->output, "Connection refused");
    EXPECT_EQ(conclusion.delivery->log_id, all.front().delivery->log_id);
    EXPECT_EQ(conclusion.delivery->seconds, std::nullopt);
    EXPECT_EQ(conclusion.queue, store::QueueChange::Retry);
  }
  EXPECT_EQ(db.sent, 0) << "no transaction, nothing to count";
}

TEST_F(LanesTest, TriesTheNextHostAndNamesAllThatFailed) {
  dns.set_mx("y.test", {{10, "a.test"}, {20, "b.test"}, {30, "c.test"}});
  for (auto [host, address] : {std::pair{"a.test", "192.0.2.11"}, {"b.test", "192.0.2.12"}, {"c.test", "192.0.2.13"}}) {
    dns.set_a(host, {address});
  }
  world.on_connect = [](const Target& target) {
    if (target.host == "c.test") return Result<>();
    return Result<>(fail(ErrorKind::Unavailable, "554 go away"));
  };
  run(messages(1, "y.test"));
  ASSERT_TRUE(concluded(1));
  EXPECT_EQ(db.concluded().front().delivery->details, "Message for r1@y.test accepted by 192.0.2.13:25 (c.test)");

  world.on_connect = [](const Target&) { return Result<>(fail(ErrorKind::Unavailable, "554 go away")); };
  dns.set_mx("z.test", {{10, "a.test"}, {20, "b.test"}, {30, "c.test"}});
  run(messages(1, "z.test"));
  ASSERT_TRUE(concluded(2));
  EXPECT_EQ(db.concluded().back().delivery->details,
            "No SMTP servers were available for z.test. Tried a.test, b.test, and c.test.");
  EXPECT_EQ(db.concluded().back().delivery->output, "554 go away");
}

TEST_F(LanesTest, OpensNoConnectionForWhatIsHeld) {
  auto all = messages(3);
  db.dir->servers_by_id[1].mode = "Development";
  run(std::move(all));
  ASSERT_TRUE(concluded(3));
  EXPECT_EQ(with_status("Held"), 3U);
  EXPECT_TRUE(world.connects.empty());
}

TEST_F(LanesTest, MovesToANewConnectionWithoutUsingUpAnAttempt) {
  world.on_message = [](const Envelope&, int transaction, const Target&) {
    return transaction == 0 ? accepted() : broken();
  };
  run(messages(3));
  ASSERT_TRUE(concluded(3));
  EXPECT_EQ(with_status("Sent"), 3U);
  EXPECT_EQ(world.connects.size(), 3U);
}

TEST_F(LanesTest, GivesUpAfterTwoMoves) {
  world.on_message = [](auto&&...) { return broken(); };
  run(messages(1));
  ASSERT_TRUE(concluded(1));
  EXPECT_EQ(world.connects.size(), 3U);
  const auto row = *db.concluded().front().delivery;
  EXPECT_EQ(row.status, "SoftFail");
  EXPECT_EQ(row.details, "An error occurred while sending the message to 192.0.2.1:25 (mx.x.test)");
}

TEST_F(LanesTest, SendsNothingAgainThatMayHaveBeenTaken) {
  world.on_message = [](auto&&...) { return uncertain(); };
  run(messages(1));
  ASSERT_TRUE(concluded(1));
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(world.connects.size(), 1U);
  const auto conclusion = db.concluded().front();
  EXPECT_EQ(conclusion.delivery->details, "An error occurred while sending the message to 192.0.2.1:25 (mx.x.test)");
  EXPECT_GE(*conclusion.retry_at, conclusion.delivery->timestamp + 299s);
}

TEST_F(LanesTest, TriesOnceMoreInHeloMode) {
  world.on_message = [](const Envelope&, int, const Target& target) {
    return target.helo_only ? accepted() : refused(502, "502 5.5.2 what?");
  };
  run(messages(1));
  ASSERT_TRUE(concluded(1));
  EXPECT_EQ(with_status("Sent"), 1U);
  EXPECT_EQ(world.connects.size(), 2U);
}

TEST_F(LanesTest, OneRefusedRecipientDoesNotHurtTheOthers) {
  world.on_message = [](const Envelope& envelope, int, const Target&) {
    return envelope.rcpt_to == "r2@x.test" ? refused(550, "550 5.1.1 no such user") : accepted();
  };
  run(messages(4));
  ASSERT_TRUE(concluded(4));
  EXPECT_EQ(with_status("Sent"), 3U);
  EXPECT_EQ(with_status("HardFail"), 1U);
  EXPECT_EQ(world.connects.size(), 1U);
}

TEST_F(LanesTest, ASlowSiteHoldsUpOnlyItself) {
  dns.set_mx("slow.test", {{10, "mx.slow.test"}});
  dns.set_a("mx.slow.test", {"192.0.2.2"});
  world.on_connect = [](const Target&) { return Result<>(); };
  world.takes = 0ms;
  auto all = messages(3, "slow.test");
  std::ranges::move(messages(20), std::back_inserter(all));
  world.on_message = [&](const Envelope& envelope, int, const Target&) {
    return envelope.rcpt_to.ends_with("slow.test") ? refused(451, "451 4.3.0 later") : accepted();
  };
  run(std::move(all));
  EXPECT_TRUE(soon([&] { return with_status("Sent") == 20; }));
}

TEST_F(LanesTest, ReadsLargeBodiesAgainRatherThanKeepThem) {
  auto all = messages(1);
  db.raws.insert_or_assign(1, store::RawMessage("From: a@example.com\r\n\r\n" + std::string(100'000, 'x') + "\r\n"));
  run(std::move(all));
  ASSERT_TRUE(concluded(1));
  EXPECT_EQ(with_status("Sent"), 1U);
  EXPECT_GT(world.bodies.front().size(), 100'000U);
}

TEST_F(LanesTest, WaitsWhileTheDatabaseIsAway) {
  std::atomic<int> failures{3};
  db.on_read = [&] {
    if (failures-- > 0) throw sql::Failure(sql::FailureKind::Unreachable, "server has gone away");
  };
  run(messages(2));
  EXPECT_TRUE(concluded(2));
  EXPECT_EQ(with_status("Sent"), 2U);
}

TEST_F(LanesTest, RecordsAnInternalErrorAndRetries) {
  db.on_read = [] { throw std::runtime_error("a bug"); };
  run(messages(1));
  ASSERT_TRUE(concluded(1));
  EXPECT_EQ(with_status("Error"), 1U);
  EXPECT_EQ(db.concluded().front().queue, store::QueueChange::Retry);
  EXPECT_TRUE(world.connects.empty());
}

TEST_F(LanesTest, KeepsOneMailServersBulkFromHoldingUpAnother) {
  world.takes = 2ms;
  options.lane_connections = 1;
  auto all = messages(200);
  const auto receipt = testing::add_message(db, 1000, "receipt@x.test", 2);
  all.push_back(receipt);
  run(std::move(all));
  ASSERT_TRUE(concluded(201));
  const auto at = std::ranges::find(world.recipients, "receipt@x.test") - world.recipients.begin();
  EXPECT_LT(at, 20);
}

TEST_F(LanesTest, ForwardsToAnSmtpEndpointAsItWasStored) {
  run(incoming(2, "SMTPEndpoint", 3));
  ASSERT_TRUE(concluded(2));
  EXPECT_EQ(with_status("Sent"), 2U);
  EXPECT_EQ(world.connects, std::vector<std::string>{"192.0.2.30:2525 (192.0.2.30)"}) << "no MX, one connection";
  const std::string& body = world.bodies.front();
  const auto at = [&](const char* text) { return body.find(text); };
  EXPECT_TRUE(body.starts_with("Resent-Sender: abcdef+f")) << body;
  EXPECT_LT(at("X-Posthaste-Forwarded: route-uuid\r\n"), at("X-Postal-Spam: no\r\n"));
  EXPECT_NE(at("X-Postal-Threat: no\r\nFrom: a@example.com\r\n"), std::string::npos);
  EXPECT_EQ(at("DKIM-Signature"), std::string::npos);
  const auto first = db.concluded().front();
  EXPECT_TRUE(first.prepend_headers.starts_with("X-Postal-Spam: no\r\n")) << "the trace is not stored";
  EXPECT_TRUE(first.inspection);
  EXPECT_EQ(db.sent, 0) << "does not count against the send limit";
  EXPECT_EQ(db.used_endpoints.size(), 2U);
}

TEST_F(LanesTest, AHostThatIsAwayCostsOnlyTheMessageThatTriedAnAttempt) {
  world.on_connect = [](const Target&) { return Result<>(fail(ErrorKind::Unavailable, "Connection refused")); };
  run(incoming(5, "SMTPEndpoint", 3));
  ASSERT_TRUE(concluded(5));
  EXPECT_EQ(with_status("SoftFail"), 1U);
  EXPECT_EQ(put_off_count(), 4U);
  for (const auto& c : db.concluded()) {
    if (!c.delivery) continue;
    EXPECT_EQ(c.delivery->details, "No SMTP servers were available for example.com. Tried 192.0.2.30.");
    EXPECT_EQ(c.delivery->output, "Connection refused");
  }
}

TEST_F(LanesTest, MessagesThatHaveWaitedTheirTimeShareAFailure) {
  world.on_connect = [](const Target&) { return Result<>(fail(ErrorKind::Unavailable, "Connection refused")); };
  auto all = incoming(3, "SMTPEndpoint", 3);
  for (auto& queued : all) queued.created_at -= 10min;
  run(std::move(all));
  ASSERT_TRUE(concluded(3));
  EXPECT_EQ(with_status("SoftFail"), 3U);
}

TEST_F(LanesTest, PostsToAnHttpEndpointEightAtATime) {
  web.takes = 10ms;
  web.on_post = [](auto&&...) { return posted(policy::Verdict::Status::Sent); };
  run(incoming(60, "HTTPEndpoint", 4));
  ASSERT_TRUE(concluded(60));
  EXPECT_EQ(with_status("Sent"), 60U);
  EXPECT_EQ(web.most, 8);
  EXPECT_TRUE(world.connects.empty());
  const auto& call = web.calls.front();
  EXPECT_EQ(call.endpoint.id, 4);
  EXPECT_TRUE(call.message.inspected);
  EXPECT_TRUE(call.added_headers.starts_with("X-Postal-Spam: no\r\n"));
  const auto row = *db.concluded().front().delivery;
  EXPECT_TRUE(row.sent_with_ssl);
  EXPECT_EQ(row.seconds, 0.25);
  EXPECT_EQ(row.log_id.size(), 8U);
  EXPECT_EQ(shared->settlement.journal()->open_attempts(), 0U);
  EXPECT_TRUE(soon([&] { return shared->places == 0 && shared->lanes == 0; }));
}

TEST_F(LanesTest, AnEndpointThatGivesNoAnswerCostsOneMessageAnAttempt) {
  web.on_post = [](auto&&...) { return posted(policy::Verdict::Status::SoftFail, true); };
  run(incoming(20, "HTTPEndpoint", 4));
  ASSERT_TRUE(concluded(20));
  EXPECT_EQ(with_status("SoftFail"), 1U);
  EXPECT_EQ(put_off_count(), 19U);
  EXPECT_EQ(web.calls.size(), 1U);
}

TEST_F(LanesTest, ASlowEndpointHoldsUpOnlyItself) {
  web.on_post = [](const HttpEndpointCall& call) {
    return posted(call.endpoint.id == 5 ? policy::Verdict::Status::SoftFail : policy::Verdict::Status::Sent);
  };
  web.takes = 100ms;
  auto all = incoming(10, "HTTPEndpoint", 5);
  std::ranges::move(incoming(5, "HTTPEndpoint", 4), std::back_inserter(all));
  run(std::move(all));
  ASSERT_TRUE(soon([&] { return with_status("Sent") == 5; }, 2s));
  EXPECT_TRUE(concluded(15));
}

TEST_F(LanesTest, AtTheEndARequestWithoutAnAnswerIsInDoubt) {
  web.takes = 30s;
  run(incoming(1, "HTTPEndpoint", 4));
  ASSERT_TRUE(soon([&] { return shared->past_dot == 1 && !web.calls.empty(); }));
  shared->stopping = true;
  shared->cut = true;
  on_loop([this] { lanes->conclude_in_doubt(); });
  ASSERT_TRUE(concluded(1));
  const auto conclusion = db.concluded().front();
  EXPECT_TRUE(conclusion.delivery->details.starts_with("Delivery was interrupted after the message had been sent to "));
  EXPECT_TRUE(conclusion.inspection);
  EXPECT_EQ(conclusion.queue, store::QueueChange::Retry);
}

TEST_F(LanesTest, ARowThatNamesAnotherPlaceFindsItsLane) {
  auto all = incoming(1, "SMTPEndpoint", 3);
  all.front().batch_key.clear();  // as one that nobody wrote a key for
  run(std::move(all));
  ASSERT_TRUE(concluded(1));
  EXPECT_EQ(with_status("Sent"), 1U);
  EXPECT_EQ(world.connects, std::vector<std::string>{"192.0.2.30:2525 (192.0.2.30)"});
}

TEST_F(LanesTest, AtTheEndConcludesWhatIsInDoubtAndCutsTheRest) {
  world.after_dot = 30s;
  run(messages(1));
  ASSERT_TRUE(soon([&] { return shared->past_dot == 1; }));
  shared->stopping = true;
  shared->cut = true;
  on_loop([this] { lanes->conclude_in_doubt(); });
  ASSERT_TRUE(concluded(1));
  EXPECT_EQ(
      db.concluded().front().delivery->details,
      "Delivery was interrupted after the message had been sent to 192.0.2.1:25 (mx.x.test). It will be retried and "
      "may arrive twice.");
  EXPECT_EQ(shared->settlement.journal()->open_attempts(), 0U);
}

TEST_F(LanesTest, SendsNoFinalDotAfterTheCut) {
  world.takes = 100ms;
  run(messages(1));
  ASSERT_TRUE(soon([&] { return shared->transactions == 1; }));
  shared->stopping = true;
  shared->cut = true;
  ASSERT_TRUE(soon([&] { return shared->transactions == 0; }));
  EXPECT_TRUE(world.recipients.empty());
  EXPECT_TRUE(db.concluded().empty()) << "the row keeps the lease until it is released";
  EXPECT_EQ(shared->settlement.in_memory(), 0U);
}

}  // namespace
}  // namespace posthaste::delivery
