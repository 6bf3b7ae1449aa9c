#include "smtp/server/server.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <mutex>

#include "base/log.h"
#include "smtp/server/connection.h"
#include "smtp/server/metrics.h"

namespace posthaste::smtp::server {

namespace {

constexpr auto kPollStopping = 20ms;
constexpr auto kStoreGrace = 30s;  // for messages that are being committed when the deadline has passed

// What tells a changed file from the old one, links followed.
std::string signature_of(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return {};
  return fmt::format("{}.{}.{}.{}", info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
}

std::string signature_of(const io::TlsContext::ServerOptions& tls) {
  return signature_of(tls.certificate_path) + " " + signature_of(tls.key_path);
}

}  // namespace

struct Server::Impl {
  Impl(Listening l, Handler& handler, io::Resolver* resolver, io::Runtime& r)
      : listening(std::move(l)),
        runtime(r),
        shared(std::make_shared<Shared>(listening.settings, handler, resolver, listening.limits, r.size())) {}

  Result<> load_tls();
  bool tls_changed();
  Result<> listen();
  static io::Task<> watch_tls(std::weak_ptr<Impl> weak, Duration interval);
  void on_each(void (Connection::*what)());

  Listening listening;
  io::Runtime& runtime;
  std::shared_ptr<Shared> shared;
  std::vector<std::unique_ptr<io::Listener>> listeners;
  std::mutex tls_mutex;
  std::string tls_signature;
};

bool Server::Impl::tls_changed() {
  std::lock_guard lock(tls_mutex);
  return signature_of(listening.tls) != tls_signature;
}

Result<> Server::Impl::load_tls() {
  std::lock_guard lock(tls_mutex);
  const std::string signature = signature_of(listening.tls);
  auto context = io::TlsContext::server(listening.tls);
  if (!context) return std::unexpected(std::move(context.error()));
  shared->tls.store(std::move(*context));
  tls_signature = signature;
  return {};
}

Result<> Server::Impl::listen() {
  std::uint16_t port = listening.port;
  for (std::size_t i = 0; i < runtime.size(); ++i) {
    auto serve = [shared = shared, &all = shared->connections[i]](io::Stream stream) {
      return Connection::serve(std::make_shared<Connection>(shared, all, std::move(stream)));
    };
    auto listener = io::Listener::open(runtime.at(i), listening.address, port, runtime.size() > 1, std::move(serve));
    if (!listener) return std::unexpected(std::move(listener.error()));
    port = (*listener)->port();
    listeners.push_back(std::move(*listener));
  }
  log::info("smtp-server", fmt::format("Listening on {}:{}", listening.address, port),
            {{"listener", listening.settings.name}});
  return {};
}

// Certificates are renewed under our feet; a restart must not be needed.
io::Task<> Server::Impl::watch_tls(std::weak_ptr<Impl> weak, Duration interval) {
  for (;;) {
    co_await io::Loop::current()->sleep(interval);
    const auto impl = weak.lock();
    if (!impl || impl->shared->stopping) co_return;
    if (!impl->tls_changed()) continue;
    if (auto loaded = impl->load_tls(); !loaded) {
      count::tls_reload_failed();
      log::error("smtp-server", "new TLS material cannot be used, the old stays in force",
                 {{"error", loaded.error().text}, {"cause", loaded.error().cause}});
    } else {
      log::info("smtp-server", "TLS material loaded", {{"certificate", impl->listening.tls.certificate_path}});
    }
  }
}

void Server::Impl::on_each(void (Connection::*what)()) {
  for (std::size_t i = 0; i < runtime.size(); ++i) {
    runtime.at(i).post([shared = shared, &all = shared->connections[i], what] {
      const std::vector<Connection*> now(all.begin(), all.end());  // `what` may end some
      for (auto* connection : now)
        if (all.contains(connection)) (connection->*what)();
    });
  }
}

Server::Server(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() {
  for (const auto& listener : impl_->listeners) listener->close();
}

Result<std::unique_ptr<Server>> Server::open(Listening listening, Handler& handler, io::Resolver* resolver,
                                             io::Runtime& runtime) {
  count::declare();
  auto impl = std::make_shared<Impl>(std::move(listening), handler, resolver, runtime);
  const auto& settings = impl->listening.settings;
  if (settings.tls_enabled || settings.implicit_tls) {
    if (auto loaded = impl->load_tls(); !loaded) {
      count::tls_reload_failed();
      log::error("smtp-server", "TLS material cannot be loaded",
                 {{"error", loaded.error().text}, {"cause", loaded.error().cause}});
      if (settings.implicit_tls) return std::unexpected(std::move(loaded.error()));
    }
  }
  if (auto listening_now = impl->listen(); !listening_now) return std::unexpected(std::move(listening_now.error()));
  if (settings.tls_enabled || settings.implicit_tls)
    runtime.at(0).spawn(Impl::watch_tls(impl, impl->listening.tls_reload_interval), "tls reload");
  return std::make_unique<Server>(std::move(impl));
}

std::uint16_t Server::port() const { return impl_->listeners.front()->port(); }
std::size_t Server::connections() const { return impl_->shared->open.load(); }

void Server::reload_tls() {
  const auto& settings = impl_->listening.settings;
  if (!settings.tls_enabled && !settings.implicit_tls) return;
  if (auto loaded = impl_->load_tls(); !loaded) {
    count::tls_reload_failed();
    log::error("smtp-server", "TLS material cannot be loaded, what was in force stays",
               {{"error", loaded.error().text}, {"cause", loaded.error().cause}});
  }
}

void Server::close() {
  if (impl_->shared->stopping.exchange(true)) return;
  for (const auto& listener : impl_->listeners) listener->close();
  impl_->on_each(&Connection::shut_down);
}

io::Task<> Server::stop(Duration deadline) {
  close();
  const auto impl = impl_;
  auto* loop = io::Loop::current();
  const auto& open = impl->shared->open;
  for (Duration waited{}; open.load() > 0 && waited < deadline; waited += kPollStopping)
    co_await loop->sleep(kPollStopping);
  if (open.load() == 0) co_return;
  impl->on_each(&Connection::cut);
  for (Duration waited{}; open.load() > 0 && waited < kStoreGrace; waited += kPollStopping)
    co_await loop->sleep(kPollStopping);
}

}  // namespace posthaste::smtp::server
