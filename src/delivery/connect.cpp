#include "delivery/connect.h"

#include "base/log.h"
#include "base/random.h"
#include "base/strings.h"

namespace posthaste::delivery {

using smtp::client::Connection;
using smtp::client::Target;
using smtp::client::Timeouts;

namespace {

constexpr std::size_t kMostEndpoints = 50;
constexpr auto kConnectWithAlternatives = 10s;

std::vector<Target> targets_of(const Hosts& hosts, const Source& source) {
  std::vector<Target> targets;
  for (const auto& host : hosts.hosts) {
    for (const auto& address : host.addresses) {
      const auto& from = address.v6 ? source.v6 : source.v4;
      if (source.bound && !from) continue;
      Target target;
      target.host = host.name;
      target.endpoint = {address, host.port};
      target.source = from;
      target.helo = source.helo;
      target.helo_only = source.helo_only;
      target.tls = host.tls;
      target.username = host.username;
      target.password = host.password;
      targets.push_back(std::move(target));
      if (targets.size() == kMostEndpoints) return targets;
    }
  }
  return targets;
}

void add_once(std::vector<std::string>& list, std::string text) {
  if (std::ranges::find(list, text) == list.end()) list.push_back(std::move(text));
}

}  // namespace

Source source_of(const store::IpAddressRow* row, const config::Config& config) {
  Source source;
  if (row) {
    source.bound = true;
    source.v4 = IpAddress::parse(row->ipv4);
    source.v6 = IpAddress::parse(row->ipv6);
  }
  const std::string names[] = {row ? row->hostname : "", config.dns.helo_hostname, config.postal.smtp_hostname};
  const auto name = std::ranges::find_if(names, [](const std::string& n) { return !n.empty(); });
  source.helo = name == std::end(names) ? "localhost" : *name;
  return source;
}

// The read timeout of Postal (30 s by default) is below what RFC 5321 4.5.3.2 asks for; a default stands for "unset".
Timeouts timeouts_of(const config::Config& config) {
  Timeouts timeouts;
  timeouts.connect = std::chrono::seconds(config.smtp_client.open_timeout);
  if (config.smtp_client.read_timeout != 30) {
    timeouts.command = std::chrono::seconds(std::max<std::int64_t>(config.smtp_client.read_timeout, 60));
  }
  return timeouts;
}

io::Task<Connected> connect(io::Resolver& resolver, Dial dial, Destination destination, RoutingRules rules,
                            Source source, Timeouts timeouts) {
  const std::string log_id = random_upper_alphanumeric(8);
  const std::string name = destination.name;
  Routing routing = Hosts{};
  if (destination.kind == Destination::Kind::Host) {
    routing = co_await route_to_host(resolver, std::move(destination), std::move(rules.known));
  } else {
    routing = co_await route(resolver, name, std::move(rules));
  }
  if (const auto* none = std::get_if<NoHosts>(&routing)) {
    ConnectFailure failure{none->why, none->details, {}, "", log_id};
    log::info("worker", "no host to deliver to", {{"log_id", log_id}, {"to", name}, {"why", none->details}});
    co_return Connected(std::move(failure));
  }

  std::vector<std::string> tried, errors;
  std::vector<Target> targets = targets_of(std::get<Hosts>(routing), source);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const std::string endpoint = targets[i].text();
    add_once(tried, targets[i].host);
    Timeouts limits = timeouts;
    if (i + 1 < targets.size()) limits.connect = std::min<Duration>(limits.connect, kConnectWithAlternatives);
    auto opened = co_await dial(std::move(targets[i]), limits);
    if (opened) {
      log::debug("worker", "Connected to " + endpoint, {{"log_id", log_id}});
      co_return Connected(std::move(*opened));
    }
    log::info("worker", "Cannot connect to " + endpoint + " (" + opened.error().text + ")",
              {{"log_id", log_id}, {"cause", opened.error().cause}});
    add_once(errors, opened.error().text);
  }
  ConnectFailure failure{{}, "", std::move(tried), join(errors, ", "), log_id};
  co_return Connected(std::move(failure));
}

}  // namespace posthaste::delivery
