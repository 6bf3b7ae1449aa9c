// The SMTP server of an installation: its configured listeners, over SmtpHandler.
#pragma once

#include <memory>
#include <vector>

#include "config/config.h"
#include "intake/intake.h"
#include "intake/smtp_handler.h"
#include "io/loop.h"
#include "io/resolver.h"
#include "smtp/server/server.h"

namespace posthaste::intake {

// What the configuration says of listeners (smtp-server.md 2 and 17.1). Never empty.
std::vector<smtp::server::Listening> listenings_of(const config::Config& config);

class SmtpServer {
 public:
  // All arguments outlive it. The first listener must open; another that does not is logged and left out.
  static Result<std::unique_ptr<SmtpServer>> open(Intake& intake, const config::Config& config, io::Resolver& resolver,
                                                  io::Runtime& runtime);

  void reload_tls();
  // Ends gracefully: see smtp::server::Server::stop.
  io::Task<> stop(Duration deadline);

  std::uint16_t port() const { return servers_.front()->port(); }  // of the first listener

  explicit SmtpServer(Intake& intake) : handler_(intake) {}

 private:
  SmtpHandler handler_;
  std::vector<std::unique_ptr<smtp::server::Server>> servers_;
};

}  // namespace posthaste::intake
