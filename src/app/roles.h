// The long-running roles of a process: SMTP server, web server, worker, or all of them.
#pragma once

#include <string>

#include "config/config.h"

namespace posthaste::app {

struct Roles {
  bool smtp = false, web = false, worker = false;
  bool all() const { return smtp && web && worker; }
  std::string text() const;  // `smtp,web,worker`
};

// Runs until a signal ends it, and returns the exit status. TERM and INT stop gracefully, a second one at once; HUP
// reads the configuration again and takes over what can change while running (log level, TLS material).
int run_roles(const config::LoadOptions& load, const config::Config& config, Roles roles);

}  // namespace posthaste::app
