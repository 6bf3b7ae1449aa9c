#include "intake/smtp_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/log.h"

namespace posthaste::intake {

using smtp::server::Server;

Result<std::unique_ptr<SmtpServer>> SmtpServer::open(Intake& intake, const config::Config& config,
                                                     io::Resolver& resolver, io::Runtime& runtime) {
  auto own = std::make_unique<SmtpServer>(intake);
  for (auto& listening : listenings_of(config)) {
    const std::string name = listening.settings.name;
    auto server = Server::open(std::move(listening), own->handler_, &resolver, runtime);
    if (server) {
      own->servers_.push_back(std::move(*server));
    } else if (own->servers_.empty()) {
      return std::unexpected(std::move(server.error()));
    } else {
      log::error("smtp-server", fmt::format("A listener cannot be opened: {}.", server.error().text),
                 {{"listener", name}, {"cause", server.error().cause}});
    }
  }
  return own;
}

void SmtpServer::reload_tls() {
  for (const auto& server : servers_) server->reload_tls();
}

io::Task<> SmtpServer::stop(Duration deadline) {
  const auto began = std::chrono::steady_clock::now();
  for (const auto& server : servers_) server->close();
  for (const auto& server : servers_) {
    const auto passed = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - began);
    co_await server->stop(std::max<Duration>(deadline - passed, Duration::zero()));
  }
}

}  // namespace posthaste::intake
