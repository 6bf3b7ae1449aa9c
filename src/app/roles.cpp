#include "app/roles.h"

#include <signal.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "app/admin_socket.h"
#include "app/files.h"
#include "app/health.h"
#include "app/http_out.h"
#include "app/installation.h"
#include "app/ports.h"
#include "app/web.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/version.h"
#include "delivery/http_sender.h"
#include "events/dispatcher.h"
#include "intake/smtp_server.h"
#include "trust/dkim.h"
#include "trust/request_signature.h"

namespace posthaste::app {

namespace {

constexpr std::size_t kPoolThreads = 8;
constexpr std::size_t kEndpointRequests = 256;
constexpr auto kHeartbeat = 10s;
constexpr auto kReclaim = 10s;
constexpr auto kPoll = 1s;

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  return set;
}

// The usual soft limit of 1024 is there for programs that use select(2): a tenth of max_connections would use it up,
// and then nothing can be accepted, delivered or opened.
void raise_descriptor_limit(std::int64_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  if (limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) (void)::getrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur < rlim_t(wanted))
    log::warn("posthaste", "few file descriptors: connections may be refused",
              {{"limit", limit.rlim_cur}, {"wanted", wanted}, {"action", "raise LimitNOFILE (systemd) or ulimit -n"}});
}

log::Options log_options(const config::Config& config) {
  log::Options options;
  const std::string& level = config.logging.level;
  options.level = !config.logging.enabled ? log::Level::Off
                  : level == "debug"      ? log::Level::Debug
                  : level == "warn"       ? log::Level::Warn
                  : level == "error"      ? log::Level::Error
                                          : log::Level::Info;
  options.format = config.logging.format == "json" ? log::Format::Json : log::Format::Text;
  options.colour = config.logging.highlighting_enabled && !std::getenv("NO_COLOR");
  return options;
}

class Process {
 public:
  Process(const config::LoadOptions& load, const config::Config& config, Roles roles)
      : load_(load),
        config_(config),
        roles_(roles),
        runtime_(std::size_t(0)),
        pool_(std::make_unique<io::Pool>(kPoolThreads)) {}

  Result<> start() {
    if (auto key = check_signing_key(); !key) return key;
    if (auto opened = open_store(); !opened) return opened;
    io::ResolverOptions options;
    options.resolv_conf_path = config_.dns.resolv_conf_path;
    options.timeout = std::chrono::seconds(config_.dns.timeout);
    auto resolver = io::make_resolver(options);
    if (!resolver) return std::unexpected(std::move(resolver.error()));
    resolver_ = std::move(*resolver);
    runtime_.start();

    if (auto signing = make_request_signer(); !signing) return signing;
    if (roles_.worker) make_workers();
    intake_ = std::make_unique<intake::Intake>(*store_, config_, worker_.get());
    installation_ =
        std::make_unique<Installation>(config_, *store_, *resolver_, runtime_, *pool_, worker_.get(), intake_.get());
    installation_->request_signer = request_signer_.get();
    if (auto listening = open_listeners(); !listening) return listening;
    if (worker_) worker_->start();
    if (dispatcher_) dispatcher_->start();
    // The worker has a heartbeat of its own, which must not run beside another one.
    if (!worker_) every(kHeartbeat, "heartbeat", [this] { store_->heartbeat(); });
    every(kReclaim, "reclaim", [this] { reclaim(); });
    every(kPoll, "changes", [this] { store_->poll_changes(); });
    return {};
  }

  void reload() {
    const auto loaded = config::load(load_);
    if (!loaded) {
      log::error("posthaste", "the configuration has errors; nothing was changed",
                 {{"errors", join(loaded.error(), "; ")}});
      return;
    }
    log::configure(log_options(loaded->config));
    if (smtp_) smtp_->reload_tls();
    log::info("posthaste",
              "configuration read again: log level and TLS material are in force, other changes need a restart");
  }

  // Nothing new comes in, what is under way may finish, what cannot goes back to the table.
  void stop() {
    sd_notify(0, "STOPPING=1");
    stopping_->store(true);
    if (web_) web_->close();
    for (const auto& listener : health_) listener->close();
    if (admin_) admin_->close();
    std::jthread smtp([this] {
      if (smtp_) installation_->wait(smtp_->stop(std::chrono::seconds(config_.smtp_server.shutdown_timeout)));
    });
    const auto grace = std::chrono::seconds(config_.worker.shutdown_grace);
    std::jthread webhooks([this, grace] {
      if (dispatcher_) installation_->wait(dispatcher_->stop(grace));
    });
    if (worker_) installation_->wait(worker_->stop(grace));
    webhooks.join();
    smtp.join();
    runtime_.wait_idle(1s);
    close();
  }

  void close() {
    runtime_.stop();
    pool_.reset();
    if (!store_) return;
    try {
      store_->close();
      const auto released = store_->release_all();
      if (released > 0) log::info("posthaste", "messages went back to the queue", {{"count", released}});
    } catch (const std::exception& error) {
      log::warn("posthaste", "leases could not be returned; they end by themselves", {{"error", error.what()}});
    }
  }

 private:
  // A key that customers' DNS and webhook receivers know is never replaced; only the embedded default, started for the
  // first time, gets one made (admin-and-config.md 1.8).
  Result<> check_signing_key() {
    const std::string& path = config_.postal.signing_key_path;
    if (config_.sqlite() && !std::filesystem::exists(path)) {
      if (auto written = write_file(path, trust::SigningKey::generate_rsa_pem(2048), 0600); !written) return written;
      log::info("posthaste", "made the installation's signing key", {{"path", path}});
    }
    const auto key = trust::SigningKey::from_file(path);
    if (key) return {};
    return fail(
        ErrorKind::Invalid,
        fmt::format("The signing key {} (postal.signing_key_path) cannot be used: {} Restore it, or make a new one "
                    "with `openssl genrsa -out {} 2048`.",
                    path, key.error().text, path),
        key.error().cause);
  }

  Result<> make_request_signer() {
    auto key = trust::SigningKey::from_file(config_.postal.signing_key_path);
    if (!key) return std::unexpected(std::move(key.error()));
    auto signer = trust::RequestSigner::make(std::move(*key));
    if (!signer) return std::unexpected(std::move(signer.error()));
    request_signer_ = std::move(*signer);
    return {};
  }

  // Webhooks and HTTP endpoints have a client each: what is slow in one does not hold up the other.
  void make_workers() {
    const auto options = events::dispatcher_options(config_);
    webhook_client_ = io::make_http_client(*resolver_, http_client_options(config_, options.concurrency));
    dispatcher_ =
        events::Dispatcher::make(*store_, *webhook_client_, *request_signer_, runtime_.next(), *pool_, options);
    endpoint_client_ = io::make_http_client(*resolver_, http_client_options(config_, kEndpointRequests));
    worker_ =
        delivery::Worker::make(*store_, config_, *resolver_, runtime_, *pool_, {},
                               delivery::http_endpoint_sender(*endpoint_client_, *request_signer_, *pool_, config_));
  }

  Result<> open_store() {
    if (config_.sqlite()) {  // the embedded default needs no step of its own before its first start
      auto ready = store::Store::initialize(config_);
      if (!ready) return std::unexpected(std::move(ready.error()));
    }
    auto store = store::Store::open(config_);
    for (auto left = config_.migration_waiter.enabled ? config_.migration_waiter.attempts : 0; !store && left > 0;
         --left) {
      log::info("posthaste", "waiting for the database to be migrated",
                {{"attempts_left", left}, {"error", store.error().text}});
      std::this_thread::sleep_for(std::chrono::seconds(config_.migration_waiter.sleep_time));
      store = store::Store::open(config_);
    }
    if (!store) return std::unexpected(std::move(store.error()));
    store_ = std::move(*store);
    return {};
  }

  Result<> open_listeners() {
    const Checks checks = [this] {
      std::vector<std::pair<std::string, bool>> found{{"database", store_->healthy()}, {"running", !stopping_->load()}};
      return found;
    };
    const auto& smtp_server = config_.smtp_server;
    const auto& web_server = config_.web_server;
    if (roles_.smtp && smtp_server.listeners.empty()) {
      auto free = check_port_free(smtp_server.default_bind_address, std::uint16_t(smtp_server.default_port));
      if (!free) return free;
    }
    if (roles_.web) {
      auto free = check_port_free(web_server.default_bind_address, std::uint16_t(web_server.default_port));
      if (!free) return free;
    }
    if (roles_.smtp) {
      auto smtp = intake::SmtpServer::open(*intake_, config_, *resolver_, runtime_);
      if (!smtp) return std::unexpected(std::move(smtp.error()));
      smtp_ = std::move(*smtp);
      add_health("smtp-server", config_.smtp_server.default_health_server_bind_address,
                 config_.smtp_server.default_health_server_port, metrics::Part::SmtpServer, checks);
    }
    if (roles_.web) {
      auto web = WebServer::open(*installation_, checks, stopping_);
      if (!web) return std::unexpected(std::move(web.error()));
      web_ = std::move(*web);
      add_health("web-server", "127.0.0.1", kWebHealthPort, metrics::Part::Web, checks);
    }
    if (roles_.worker) {
      add_health("worker", config_.worker.default_health_server_bind_address, config_.worker.default_health_server_port,
                 metrics::Part::Worker, checks);
    }
    auto admin = serve_admin_socket(*installation_);
    if (admin)
      admin_ = std::move(*admin);
    else
      log::warn("posthaste", "the admin socket cannot be opened; commands cannot reach this process",
                {{"error", admin.error().text}, {"cause", admin.error().cause}});
    return {};
  }

  void add_health(std::string name, const std::string& address, std::int64_t port, metrics::Part part,
                  const Checks& checks) {
    HealthOptions options{std::move(name), address, std::uint16_t(port), {part}, checks};
    if (auto listener = open_health_server(runtime_.at(0), std::move(options), stopping_))
      health_.push_back(std::move(listener));
  }

  void reclaim() {
    const auto count = store_->reclaim();
    if (count == 0) return;
    log::info("posthaste", "messages of processes that are gone went back to the queue", {{"count", count}});
    if (worker_) worker_->wake();
  }

  void every(Duration period, const char* name, std::function<void()> work) {
    runtime_.at(0).spawn(repeat(this, period, name, std::move(work)), name);
  }

  // Blocking work on a pool thread; that it fails is said once, and once more when it works again.
  static io::Task<> repeat(Process* self, Duration period, std::string name, std::function<void()> work) {
    bool failed = false;
    while (!self->stopping_->load()) {
      std::string error;
      try {
        co_await self->pool_->run(work);
      } catch (const std::exception& thrown) {
        if (!sql::unreachable(thrown)) error = thrown.what();  // the store says when its database is gone
      }
      if (!error.empty() && !failed)
        log::error("posthaste", fmt::format("{} fails; it is tried again", name), {{"error", error}});
      if (error.empty() && failed) log::info("posthaste", fmt::format("{} works again", name));
      failed = !error.empty();
      co_await self->runtime_.at(0).sleep(period);
    }
  }

  const config::LoadOptions& load_;
  const config::Config& config_;
  Roles roles_;
  // Destroyed from the bottom up. The pool is ended first of all, in close(): its work uses everything else.
  io::Runtime runtime_;
  std::unique_ptr<io::Resolver> resolver_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<io::Pool> pool_;
  std::unique_ptr<trust::RequestSigner> request_signer_;
  std::unique_ptr<io::HttpClient> webhook_client_, endpoint_client_;
  std::unique_ptr<events::Dispatcher> dispatcher_;
  std::unique_ptr<delivery::Worker> worker_;
  std::unique_ptr<intake::Intake> intake_;
  std::unique_ptr<Installation> installation_;
  std::unique_ptr<intake::SmtpServer> smtp_;
  std::unique_ptr<WebServer> web_;
  std::unique_ptr<io::Listener> admin_;
  std::vector<std::unique_ptr<io::Listener>> health_;
  std::shared_ptr<std::atomic<bool>> stopping_ = std::make_shared<std::atomic<bool>>(false);
};

// A second signal while stopping ends the process at once; the table gets its leases back at the next start.
void end_on_second_signal(const sigset_t& signals) {
  std::thread([signals] {
    int signal = 0;
    do sigwait(&signals, &signal);
    while (signal == SIGHUP);
    std::_Exit(1);
  }).detach();
}

}  // namespace

std::string Roles::text() const {
  std::vector<std::string> names;
  if (smtp) names.push_back("smtp");
  if (web) names.push_back("web");
  if (worker) names.push_back("worker");
  return join(names, ",");
}

int run_roles(const config::LoadOptions& load, const config::Config& config, Roles roles) {
  // Blocked in every thread, so that this one alone takes them.
  const sigset_t signals = watched_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  log::configure(log_options(config));
  raise_descriptor_limit(2000 + (roles.smtp ? config.smtp_server.max_connections : 0) +
                         (roles.web ? config.web_server.max_connections : 0));

  int status = 0;
  try {
    Process process(load, config, roles);
    if (const auto started = process.start(); !started) {
      log::Fields fields;
      if (!started.error().cause.empty()) fields.emplace_back("cause", started.error().cause);
      log::error("posthaste", started.error().text, fields);
      process.close();
      log::flush_and_stop();
      return started.error().kind == ErrorKind::Invalid ? 3 : 6;
    }
    log::info(
        "posthaste", "ready",
        {{"version", kVersion}, {"roles", roles.text()}, {"database", config.posthaste.database}, {"pid", getpid()}});
    sd_notify(0, "READY=1");
    for (int signal = 0; sigwait(&signals, &signal) == 0;) {
      if (signal == SIGHUP) {
        process.reload();
        continue;
      }
      log::info("posthaste", fmt::format("Received {} signal. Stopping when able.", signal == SIGINT ? "INT" : "TERM"));
      break;
    }
    end_on_second_signal(signals);
    process.stop();
    log::info("posthaste", "stopped");
  } catch (const std::exception& error) {
    log::error("posthaste", "cannot go on", {{"error", error.what()}});
    status = 1;
  }
  log::flush_and_stop();
  return status;
}

}  // namespace posthaste::app
