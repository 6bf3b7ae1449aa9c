// run, smtp-server, web-server, worker: the roles; cron and requeuer, which Postal no longer has either.
#include <signal.h>

#include "app/command.h"
#include "app/roles.h"
#include "base/strings.h"

namespace posthaste::app {

namespace {

std::optional<Roles> parse_roles(const std::vector<std::string>& names) {
  Roles roles;
  for (const auto& name : names) {
    if (name == "smtp")
      roles.smtp = true;
    else if (name == "web")
      roles.web = true;
    else if (name == "worker")
      roles.worker = true;
    else
      return std::nullopt;
  }
  return roles;
}

// What was noted so far would otherwise be printed when the process ends.
void show_notes(Call& call) {
  fmt::print(stderr, "{}", call.err);
  call.err.clear();
}

// PORT and BIND_ADDRESS speak of the role that runs; of the web server when all do (admin-and-config.md 1.7).
void override_listeners(config::Config& config, Roles roles, const config::ListenOverrides& overrides) {
  const auto set = [](auto& setting, const auto& value) {
    if (value) setting = *value;
  };
  if (roles.web) {
    set(config.web_server.default_port, overrides.port);
    set(config.web_server.default_bind_address, overrides.bind_address);
  } else if (roles.smtp) {
    set(config.smtp_server.default_port, overrides.port);
    set(config.smtp_server.default_bind_address, overrides.bind_address);
  }
  if (roles.worker) {
    set(config.worker.default_health_server_port, overrides.health_port);
    set(config.worker.default_health_server_bind_address, overrides.health_bind_address);
  } else if (roles.smtp) {
    set(config.smtp_server.default_health_server_port, overrides.health_port);
    set(config.smtp_server.default_health_server_bind_address, overrides.health_bind_address);
  }
}

int run(Call& call, Roles roles) {
  const auto overrides = config::listen_overrides(call.load.environment);
  if (!overrides) return call.fail(kConfiguration, join(overrides.error(), "\n"));
  config::Config config = *call.config;
  override_listeners(config, roles, *overrides);
  show_notes(call);
  return run_roles(call.load, config, roles);
}

int wait_for_signal(Call& call, std::string_view role) {
  call.note(fmt::format(
      "The role {} no longer exists; its work is done by the worker. Remove it from your compose file.", role));
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGINT, SIGTERM}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  show_notes(call);
  int signal = 0;
  sigwait(&signals, &signal);
  return kDone;
}

}  // namespace

void add_run(CommandLine& line) {
  auto names = std::make_shared<std::vector<std::string>>(std::vector<std::string>{"smtp", "web", "worker"});
  auto* all = line.root().add_subcommand("run", "Run all roles in one process, in the foreground");
  all->add_option("--roles", *names, "Only these, separated by commas: smtp, web, worker")->delimiter(',');
  line.add(all, Needs::Configuration, [names](Call& call) {
    const auto roles = parse_roles(*names);
    if (!roles) return call.fail(kUsage, "--roles takes smtp, web and worker, separated by commas.");
    return run(call, *roles);
  });

  const std::tuple<const char*, const char*, Roles> single[] = {
      {"smtp-server", "Run the SMTP server", {.smtp = true}},
      {"web-server", "Run the web server and HTTP API", {.web = true}},
      {"worker", "Run the worker, which delivers", {.worker = true}},
  };
  for (const auto& [name, text, roles] : single) {
    line.add(line.root().add_subcommand(name, text), Needs::Configuration,
             [roles = roles](Call& call) { return run(call, roles); });
  }
  for (const char* name : {"cron", "requeuer"}) {
    line.add(line.root().add_subcommand(name, "A role of Postal 2 that no longer exists")->group(""), Needs::Nothing,
             [name](Call& call) { return wait_for_signal(call, name); });
  }
}

}  // namespace posthaste::app
