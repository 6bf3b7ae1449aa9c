// What tells this installation from other hosts: its names, the addresses it listens on, the domains whose mail ends
// here.
#include "base/strings.h"
#include "delivery/routing.h"

namespace posthaste::delivery {

bool OwnHost::is(const std::string& name) const { return std::ranges::find(names, to_lower(name)) != names.end(); }

bool OwnHost::listens_on(const IpAddress& address, std::uint16_t at) const {
  return port != 0 && at == port && std::ranges::find(addresses, address) != addresses.end();
}

OwnHost own_host(const config::Config& config, const std::vector<IpAddress>& interfaces) {
  OwnHost own;
  for (const auto& name : config.dns.mx_records) own.names.push_back(to_lower(name));
  own.names.push_back(to_lower(config.postal.smtp_hostname));
  std::erase(own.names, "");
  own.port = std::uint16_t(config.smtp_server.default_port);

  const auto bound = IpAddress::parse(config.smtp_server.default_bind_address);
  const auto any = [](const IpAddress& a) { return std::ranges::all_of(a.bytes, [](auto b) { return b == 0; }); };
  own.addresses = bound && !any(*bound) ? std::vector{*bound} : interfaces;
  return own;
}

bool domain_is_ours(const store::Directory& directory, const config::Config& config, std::string_view domain) {
  const std::string name = lane_domain(domain);
  if (iequals(name, config.dns.return_path_domain) || iequals(name, config.dns.route_domain)) return true;
  if (directory.hosted_domain(name)) return true;
  const std::string prefix = to_lower(config.dns.custom_return_path_prefix) + ".";
  return name.starts_with(prefix) && directory.hosted_domain(name.substr(prefix.size()));
}

}  // namespace posthaste::delivery
