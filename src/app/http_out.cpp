#include "app/http_out.h"

#include "base/interfaces.h"

namespace posthaste::app {

io::HttpClientOptions http_client_options(const config::Config& config, std::size_t concurrency) {
  io::HttpClientOptions options;
  options.concurrency = concurrency;
  auto& policy = options.destinations;
  policy.private_networks = config.profile == config::Profile::Postal;
  policy.allowed = config.postal.allowed_request_destinations;
  policy.own_addresses = interface_addresses();
  for (const auto port : {config.worker.default_health_server_port, config.smtp_server.default_health_server_port,
                          config.health.port, std::int64_t{kWebHealthPort}})
    if (port > 0) policy.own_ports.push_back(std::uint16_t(port));
  return options;
}

}  // namespace posthaste::app
