#include "events/dispatcher.h"

#include <atomic>

#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/strings.h"
#include "base/version.h"
#include "events/lanes.h"
#include "events/payload.h"
#include "events/stored_payload.h"
#include "sql/sql.h"

namespace posthaste::events {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kBlock = 500;
constexpr auto kLookAgain = 1s;
constexpr auto kStep = 20ms;
constexpr int kUnreadable = 0;  // the code of a request whose payload nobody can read

struct Measures {
  metrics::Counter requests;
  metrics::Histogram seconds;
  metrics::Gauge waiting, active, open;
};

const Measures& measures() {
  constexpr auto kPart = metrics::Part::Worker;
  static const Measures all{
      {kPart, "posthaste_webhook_requests_total", "Requests to webhooks by event and result", true},
      {kPart, "posthaste_webhook_request_seconds", "Time that webhooks take to answer"},
      {kPart, "posthaste_webhook_requests_claimed", "Requests that this process holds and has not begun"},
      {kPart, "posthaste_webhook_requests_active", "Requests under way"},
      {kPart, "posthaste_webhook_breakers_open", "Endpoints that get no requests but probes: they fail all the time"}};
  return all;
}

// What an answer says of the endpoint: a 404 is this hook's affair, a 503 or silence that of all its hooks.
std::optional<bool> endpoint_works(const io::HttpAnswer& answer) {
  if (answer.ok()) return true;
  if (answer.code == io::http_code::kRefused) return std::nullopt;
  if (answer.code < 0 || answer.code >= 500 || answer.code == 408 || answer.code == 429) return false;
  return std::nullopt;
}

using Waiting = WebhookLanes::Waiting;

class DispatcherOnLoop final : public Dispatcher {
 public:
  DispatcherOnLoop(store::Store& store, io::HttpClient& client, trust::RequestSigner& signer, io::Loop& loop,
                   io::Pool& pool, DispatcherOptions options)
      : store_(store),
        queue_(*store.webhook_queue()),
        client_(client),
        signer_(signer),
        loop_(loop),
        pool_(pool),
        options_(std::move(options)),
        lanes_({options_.concurrency, options_.per_endpoint, options_.per_server, options_.waiting_per_hook}) {}
  ~DispatcherOnLoop() override { queue_.on_due({}); }

  void start() override {
    queue_.on_due([this] { wake(); });
    loop_.spawn(claim_for_ever(this), "webhooks");
  }
  void wake() override { woken_ = true; }
  io::Task<> stop(Duration grace) override;

 private:
  static io::Task<> claim_for_ever(DispatcherOnLoop* self);
  io::Task<bool> claim();
  io::Task<> give_back_blocked();
  void add(std::vector<store::WebhookRequest> requests);
  void pump();
  static io::Task<> make_one(DispatcherOnLoop* self, Waiting waiting);
  io::Task<> attempt(const Waiting& waiting, std::optional<bool>& works);
  // Where it goes now; nothing: nowhere any more.
  io::Task<std::optional<std::string>> url_of(const store::WebhookRequest& request);
  io::Task<io::HttpAnswer> post(const store::WebhookRequest& request, std::string url, const std::string& payload);
  void conclude(const store::WebhookRequest& request, std::string url, std::string payload, io::HttpAnswer answer);
  void record(store::WebhookAttempt attempt);
  void note_failure(const std::exception& failure, std::string_view what);
  log::Fields names(const store::WebhookRequest& request) const;
  void show() const;

  store::Store& store_;
  store::WebhookQueue& queue_;
  io::HttpClient& client_;
  trust::RequestSigner& signer_;
  io::Loop& loop_;
  io::Pool& pool_;
  const DispatcherOptions options_;
  WebhookLanes lanes_;
  bool running_ = false, stopping_ = false, failing_ = false;
  std::atomic<bool> woken_ = false;
  // Outcomes on their way into the database; their callbacks may outlive us.
  std::shared_ptr<std::atomic<std::size_t>> pending_ = std::make_shared<std::atomic<std::size_t>>(0);
};

// --- claiming

io::Task<> DispatcherOnLoop::claim_for_ever(DispatcherOnLoop* self) {
  self->running_ = true;
  while (!self->stopping_) {
    const bool more = co_await self->claim();
    co_await self->give_back_blocked();
    self->pump();
    self->show();
    const auto until = Steady::now() + kLookAgain;
    while (!more && !self->stopping_ && !self->woken_ && Steady::now() < until) co_await self->loop_.sleep(kStep);
    if (more) co_await self->loop_.sleep(1ms);
  }
  self->running_ = false;
}

// True when there may be more to claim at once.
io::Task<bool> DispatcherOnLoop::claim() {
  woken_ = false;
  const std::size_t room = options_.waiting - std::min(options_.waiting, lanes_.waiting());
  const std::size_t limit = std::min(kBlock, room);
  if (limit == 0) co_return false;
  auto work = [queue = &queue_, limit, full = lanes_.full()] { return queue->claim(limit, full); };
  std::vector<store::WebhookRequest> rows;
  try {
    rows = co_await pool_.run(std::move(work));
    failing_ = false;
  } catch (const std::exception& failure) {
    note_failure(failure, "webhook requests cannot be claimed");
  }
  const bool more = rows.size() == limit;
  add(std::move(rows));
  co_return more;
}

io::Task<> DispatcherOnLoop::give_back_blocked() {
  auto blocked = lanes_.take_blocked();
  if (blocked.empty()) co_return;
  auto work = [queue = &queue_, rows = std::move(blocked)] { queue->give_back(rows); };
  try {
    co_await pool_.run(std::move(work));
  } catch (const std::exception& failure) {
    note_failure(failure, "webhook requests cannot be given back");
  }
}

void DispatcherOnLoop::note_failure(const std::exception& failure, std::string_view what) {
  if (sql::unreachable(failure)) return;  // the store says when its database is gone
  if (!std::exchange(failing_, true)) log::error("webhooks", what, {{"error", failure.what()}});
}

void DispatcherOnLoop::add(std::vector<store::WebhookRequest> requests) {
  const auto directory = store_.directory();
  for (auto& request : requests) {
    const auto* hook = directory->webhook(request.webhook_id);
    const auto url = io::parse_http_url(hook ? hook->url : request.url);
    Waiting waiting;
    waiting.site = url ? url->site() : "";
    waiting.message = message_of_payload(request.payload);
    waiting.request = std::move(request);
    lanes_.add(std::move(waiting));
  }
}

void DispatcherOnLoop::pump() {
  while (!stopping_) {
    auto next = lanes_.next(Steady::now());
    if (!next) return;
    loop_.spawn(make_one(this, std::move(*next)), "webhook request");
  }
}

// --- one request

io::Task<> DispatcherOnLoop::make_one(DispatcherOnLoop* self, Waiting waiting) {
  std::optional<bool> works;
  std::string failed;
  try {
    co_await self->attempt(waiting, works);
  } catch (const std::exception& failure) {
    failed = failure.what();
  }
  if (!failed.empty()) {
    // A database that is away, or a bug: one failure among the others.
    log::error("webhooks", "a webhook request could not be made", [&] {
      auto fields = self->names(waiting.request);
      fields.emplace_back("error", failed);
      return fields;
    }());
    self->conclude(waiting.request, waiting.request.url, "",
                   io::HttpAnswer{.code = io::http_code::kConnection, .body = "Internal error"});
  }
  const bool was_open = self->lanes_.open_breakers() > 0;
  self->lanes_.ended(waiting, works, Steady::now());
  if (was_open || self->lanes_.waiting() == 0) self->wake();
  self->pump();
}

io::Task<> DispatcherOnLoop::attempt(const Waiting& waiting, std::optional<bool>& works) {
  const store::WebhookRequest& request = waiting.request;
  auto url = co_await url_of(request);
  if (!url) {
    log::info("webhooks", "dropped: its webhook has been deleted or disabled", names(request));
    auto work = [queue = &queue_, rows = std::vector{request}] { queue->remove(rows); };
    co_await pool_.run(std::move(work));
    co_return;
  }
  auto payload = json_of_payload(request.payload);
  if (!payload) {
    auto fields = names(request);
    fields.emplace_back("cause", payload.error().cause);
    log::error("webhooks", payload.error().text, fields);
    store::WebhookAttempt given_up{request, options_.clock(), *url, "{}", kUnreadable, payload.error().text};
    record(std::move(given_up));
    co_return;
  }
  auto answer = co_await post(request, *url, *payload);
  works = endpoint_works(answer);
  conclude(request, std::move(*url), std::move(*payload), std::move(answer));
}

// A changed URL counts for what waits, too. A hook that this process does not know yet is asked for in the table.
io::Task<std::optional<std::string>> DispatcherOnLoop::url_of(const store::WebhookRequest& request) {
  const auto directory = store_.directory();
  if (const auto* hook = directory->webhook(request.webhook_id)) {
    if (!hook->enabled) co_return std::optional<std::string>();
    co_return std::optional<std::string>(hook->url);
  }
  auto work = [queue = &queue_, id = request.webhook_id] { return queue->exists(id); };
  const bool exists = co_await pool_.run(std::move(work));
  if (!exists) co_return std::optional<std::string>();
  co_return std::optional<std::string>(request.url);
}

io::Task<io::HttpAnswer> DispatcherOnLoop::post(const store::WebhookRequest& request, std::string url,
                                                const std::string& payload) {
  io::HttpCall call;
  call.url = std::move(url);
  call.timeout = options_.timeout;
  call.connect_timeout = std::min(options_.connect_timeout, options_.timeout);
  call.body = envelope(request.event, request.created_at, payload, request.uuid);
  auto work = [signer = &signer_, body = call.body] { return signer->headers(body); };
  auto signatures = co_await pool_.run(std::move(work));
  call.headers = {{"Content-Type", "application/json"}, {"User-Agent", options_.user_agent}};
  call.headers.insert(call.headers.end(), signatures.begin(), signatures.end());
  auto sending = client_.send(std::move(call));
  io::HttpAnswer answer = co_await std::move(sending);
  co_return answer;
}

void DispatcherOnLoop::conclude(const store::WebhookRequest& request, std::string url, std::string payload,
                                io::HttpAnswer answer) {
  const Time now = options_.clock();
  store::WebhookAttempt attempt;
  attempt.request = request;
  attempt.at = now;
  attempt.url = io::without_user_info(url);
  attempt.payload = std::move(payload);
  attempt.code = answer.code;
  attempt.body = answer.body;
  attempt.success = answer.ok();
  const int number = request.attempts + 1;
  auto fields = names(request);
  fields.insert(fields.end(), {{"url", attempt.url},
                               {"code", answer.code},
                               {"attempt", number},
                               {"seconds", std::chrono::duration<double>(answer.took).count()},
                               {"remote", answer.remote_ip}});
  if (answer.code < 0) fields.emplace_back("error", answer.cause.empty() ? answer.body : answer.cause);
  log::info("webhooks", fmt::format("Received {} status code. That's {}OK.", answer.code, answer.ok() ? "" : "not "),
            fields);
  if (!answer.ok()) {
    const auto* wish = answer.header("retry-after");
    const auto delay = options_.schedule.delay(number, answer.code, wish ? parse_retry_after(*wish, now) : std::nullopt,
                                               double(random_below(1'000'000)) / 1e6);
    if (delay) attempt.retry_at = now + *delay;
    log::info("webhooks",
              delay ? fmt::format("Will retry {} (this was attempt {})", to_iso8601(*attempt.retry_at, 0), number)
                    : fmt::format("Have tried {} times. Giving up.", number),
              names(request));
  }
  measures().requests.add({{"event", request.event},
                           {"result", answer.ok()        ? "ok"
                                      : attempt.retry_at ? "retry"
                                                         : "failed"}});
  measures().seconds.observe(std::chrono::duration<double>(answer.took).count());
  record(std::move(attempt));
}

void DispatcherOnLoop::record(store::WebhookAttempt attempt) {
  auto fields = names(attempt.request);
  ++*pending_;
  queue_.record(std::move(attempt), [pending = pending_, fields = std::move(fields)](Result<> written) mutable {
    --*pending;
    if (written) return;
    fields.emplace_back("error", written.error().text);
    fields.emplace_back("cause", written.error().cause);
    log::error("webhooks", "the outcome of a webhook request cannot be recorded; it will be sent again", fields);
  });
}

log::Fields DispatcherOnLoop::names(const store::WebhookRequest& request) const {
  return {{"webhook", request.webhook_id},
          {"webhook_request", request.id},
          {"server", request.server_id},
          {"event", request.event},
          {"uuid", request.uuid}};
}

void DispatcherOnLoop::show() const {
  measures().waiting.set(double(lanes_.waiting()));
  measures().active.set(double(lanes_.active()));
  measures().open.set(double(lanes_.open_breakers()));
}

// --- the end

io::Task<> DispatcherOnLoop::stop(Duration grace) {
  co_await io::SwitchTo{loop_};
  queue_.on_due({});
  stopping_ = true;
  (void)lanes_.take_all();  // release_all() below gives them back
  const auto until = Steady::now() + grace;
  while ((running_ || lanes_.active() > 0) && Steady::now() < until) co_await loop_.sleep(kStep);
  const auto written_until = Steady::now() + 1s;
  while (*pending_ > 0 && Steady::now() < written_until) co_await loop_.sleep(kStep);
  std::string error;
  std::size_t released = 0;
  auto release = [queue = &queue_] { return queue->release_all(); };
  try {
    released = co_await pool_.run(std::move(release));
  } catch (const std::exception& failure) {
    error = failure.what();
  }
  if (!error.empty()) log::warn("webhooks", "leases could not be returned; they end by themselves", {{"error", error}});
  if (released > 0) log::info("webhooks", "requests went back to the table", {{"count", released}});
}

}  // namespace

std::unique_ptr<Dispatcher> Dispatcher::make(store::Store& store, io::HttpClient& client, trust::RequestSigner& signer,
                                             io::Loop& loop, io::Pool& pool, DispatcherOptions options) {
  return std::make_unique<DispatcherOnLoop>(store, client, signer, loop, pool, std::move(options));
}

DispatcherOptions dispatcher_options(const config::Config& config) {
  DispatcherOptions options;
  options.concurrency = std::size_t(config.webhooks.concurrency);
  options.per_endpoint = std::size_t(config.webhooks.per_endpoint);
  options.timeout = std::chrono::seconds(std::min<std::int64_t>(config.webhooks.timeout, 30));
  options.user_agent = user_agent(config);
  std::vector<Duration> extended;
  for (const auto& text : config.webhooks.extended_retries) {
    if (const auto delay = parse_delay(text))
      extended.push_back(*delay);
    else
      log::warn("webhooks", "webhooks.extended_retries: " + delay.error().text);
  }
  options.schedule = RetrySchedule(std::move(extended));
  return options;
}

std::string user_agent(const config::Config& config) {
  const std::string ours = fmt::format("Posthaste/{}", kVersion);
  return config.profile == config::Profile::Modern ? ours : fmt::format("Postal/3.3.6 ({})", ours);
}

}  // namespace posthaste::events
