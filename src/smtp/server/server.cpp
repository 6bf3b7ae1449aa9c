#include "smtp/server/server.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <mutex>

#include "base/log.h"
#include "io/endpoint_text.h"
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
  // The change time tells of new rights, too.
  return fmt::format("{}.{}.{}.{}.{}.{}", info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec,
                     info.st_ctim.tv_sec, info.st_ctim.tv_nsec);
}

std::string signature_of(const io::TlsContext::ServerOptions& tls) {
  std::string all = signature_of(tls.certificate_path) + " " + signature_of(tls.key_path);
  for (const auto& pair : tls.additional)
    all += " " + signature_of(pair.certificate_path) + " " + signature_of(pair.key_path);
  return all;
}

}  // namespace

struct Server::Impl {
  Impl(Listening l, Handler& handler, io::Resolver* resolver, io::Runtime& r)
      : listening(std::move(l)),
        runtime(r),
        shared(std::make_shared<Shared>(listening.settings, handler, resolver, listening.limits, r.size())) {}

  Result<> load_tls();
  bool tls_changed();
  std::string where() const;
  std::string without_tls() const;
  void log_no_tls(const Error& error) const;
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
  tls_signature = signature_of(listening.tls);  // of files that are wrong, too: they are looked at when they change
  auto context = io::TlsContext::server(listening.tls);
  if (!context && !shared->tls.load() && !listening.tls.additional.empty()) {
    // At the start the port's own certificate shall not suffer from a further one.
    log::error("smtp-server", "smtp_server.tls_certificates cannot be loaded and are left out",
               {{"error", context.error().text}, {"cause", context.error().cause}});
    auto options = listening.tls;
    options.additional.clear();
    context = io::TlsContext::server(options);
  }
  if (!context) return std::unexpected(std::move(context.error()));
  shared->tls.store(std::move(*context));
  return {};
}

// `[::]:25`
std::string Server::Impl::where() const {
  const auto ip = IpAddress::parse(listening.address);
  const auto port = listeners.empty() ? listening.port : listeners.front()->port();
  return ip ? io::to_text(io::Endpoint{*ip, port}) : fmt::format("{}:{}", listening.address, port);
}

// What it means that there is no certificate.
std::string Server::Impl::without_tls() const {
  const auto& settings = listening.settings;
  std::string text = fmt::format("Running WITHOUT STARTTLS on {}", where());
  if (settings.tls_required)
    text += ", which therefore takes no mail";
  else if (settings.auth_requires_tls && settings.auth != Settings::AuthPolicy::Off)
    text += ", where clients therefore cannot log in (but from this host)";
  return text;
}

void Server::Impl::log_no_tls(const Error& error) const {
  count::tls_reload_failed();
  const std::string consequence = shared->tls.load() ? "The certificate that was in force stays" : without_tls();
  log::Fields fields{{"listener", listening.settings.name}};
  if (!error.cause.empty()) fields.emplace_back("cause", error.cause);
  log::error("smtp-server",
             fmt::format("TLS material cannot be used: {}. {}. It is looked at again when the files change.",
                         error.text, consequence),
             fields);
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
  log::info("smtp-server", fmt::format("Listening on {}", where()), {{"listener", listening.settings.name}});
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
      impl->log_no_tls(loaded.error());
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
      if (settings.implicit_tls) {
        count::tls_reload_failed();
        return fail(ErrorKind::Invalid,
                    fmt::format("TLS material cannot be used: {}. Nothing listens on {}, which speaks nothing but TLS",
                                loaded.error().text, impl->where()),
                    loaded.error().cause);
      }
      impl->log_no_tls(loaded.error());
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
  if (auto loaded = impl_->load_tls(); !loaded) impl_->log_no_tls(loaded.error());
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
