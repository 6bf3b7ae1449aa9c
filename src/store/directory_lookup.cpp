#include "store/directory_snapshot.h"

namespace posthaste::store {

namespace {

template <class Map, class Key>
auto find(const Map& map, const Key& key) -> typename Map::mapped_type {
  const auto at = map.find(key);
  return at == map.end() ? nullptr : at->second;
}

template <class T>
std::vector<const T*> sorted(const std::unordered_map<Id, const T*>& by_id) {
  std::vector<const T*> all;
  all.reserve(by_id.size());
  for (const auto& [id, row] : by_id) all.push_back(row);
  std::ranges::sort(all, {}, &T::id);
  return all;
}

}  // namespace

const Organization* Snapshot::organization(Id id) const { return find(organizations_, id); }
const Organization* Snapshot::organization(std::string_view permalink) const {
  return find(organizations_by_permalink_, permalink);
}

const Server* Snapshot::server(Id id) const { return find(servers_, id); }
const Server* Snapshot::server_by_token(std::string_view token) const { return find(servers_by_token_, token); }

const Server* Snapshot::server(std::string_view organization_permalink, std::string_view permalink) const {
  const Organization* owner = organization(organization_permalink);
  if (!owner) return nullptr;
  const auto of_owner = servers_by_permalink_.find(owner->id);
  return of_owner == servers_by_permalink_.end() ? nullptr : find(of_owner->second, permalink);
}

std::vector<const Server*> Snapshot::servers() const { return sorted(servers_); }

bool Snapshot::suspended(const Server& server) const {
  const Organization* owner = organization(server.organization_id);
  return server.suspended_at.has_value() || (owner && owner->suspended_at);
}

std::string Snapshot::path(const Server& server) const {
  const Organization* owner = organization(server.organization_id);
  return fmt::format("{}/{}", owner ? owner->permalink : "", server.permalink);
}

const Credential* Snapshot::credential(Id id) const { return find(credentials_, id); }

const Credential* Snapshot::credential_by_key(CredentialType type, std::string_view key) const {
  const auto& keys = type == CredentialType::Smtp ? smtp_keys_ : type == CredentialType::Api ? api_keys_ : ip_keys_;
  return find(keys, key);
}

std::vector<const Credential*> Snapshot::smtp_credentials(Id server_id) const {
  const auto at = smtp_credentials_.find(server_id);
  return at == smtp_credentials_.end() ? std::vector<const Credential*>() : at->second;
}

const Credential* Snapshot::credential_by_ip(const IpAddress& ip) const {
  const auto at = std::ranges::find_if(ip_credentials_, [&](const Credential* c) { return c->network->contains(ip); });
  return at == ip_credentials_.end() ? nullptr : *at;
}

const Domain* Snapshot::domain(Id id) const { return find(domains_, id); }

const Domain* Snapshot::hosted_domain(std::string_view name) const {
  const auto named = domains_by_name_.find(name);
  if (named == domains_by_name_.end()) return nullptr;
  const auto verified = std::ranges::find_if(named->second, [](const Domain* d) { return d->verified_at.has_value(); });
  return verified == named->second.end() ? nullptr : *verified;
}

const Domain* Snapshot::sending_domain(const Server& server, std::string_view address_domain) const {
  const auto named = domains_by_name_.find(address_domain);
  if (named != domains_by_name_.end()) {
    const auto owned_by = [&](OwnerType type, Id id) {
      const auto at = std::ranges::find_if(
          named->second, [&](const Domain* d) { return d->verified_at && d->owner_type == type && d->owner_id == id; });
      return at == named->second.end() ? nullptr : *at;
    };
    if (const Domain* own = owned_by(OwnerType::Server, server.id)) return own;
    if (const Domain* shared = owned_by(OwnerType::Organization, server.organization_id)) return shared;
  }
  return find(any_domains_, server.id);
}

std::vector<const Domain*> Snapshot::domains() const { return sorted(domains_); }

const Route* Snapshot::route(Id id) const { return find(routes_, id); }
const Route* Snapshot::route_by_token(std::string_view token) const { return find(routes_by_token_, token); }

const Route* Snapshot::route_for(std::string_view local_part, std::string_view domain) const {
  const auto of_domain = routes_by_domain_.find(domain);
  if (of_domain == routes_by_domain_.end()) return nullptr;
  if (const Route* exact = find(of_domain->second, local_part)) return exact;
  return find(of_domain->second, std::string_view("*"));
}

const Route* Snapshot::return_path_route(Id server_id) const { return find(return_path_routes_, server_id); }

const IpAddressRow* Snapshot::ip_address(Id id) const { return find(ip_addresses_, id); }
std::vector<const IpAddressRow*> Snapshot::ip_addresses() const { return sorted(ip_addresses_); }

const HttpEndpoint* Snapshot::http_endpoint(Id id) const { return find(http_endpoints_, id); }
const SmtpEndpoint* Snapshot::smtp_endpoint(Id id) const { return find(smtp_endpoints_, id); }
const AddressEndpoint* Snapshot::address_endpoint(Id id) const { return find(address_endpoints_, id); }

std::vector<const AdditionalEndpoint*> Snapshot::additional_endpoints(Id route_id) const {
  const auto at = additional_endpoints_.find(route_id);
  return at == additional_endpoints_.end() ? std::vector<const AdditionalEndpoint*>() : at->second;
}

const Webhook* Snapshot::webhook(Id id) const { return find(webhooks_, id); }

std::vector<const Webhook*> Snapshot::webhooks(Id server_id, std::string_view event) const {
  const auto at = webhooks_of_servers_.find(server_id);
  if (at == webhooks_of_servers_.end()) return {};
  std::vector<const Webhook*> wanting;
  for (const Webhook* hook : at->second)
    if (hook->all_events || std::ranges::find(hook->events, event) != hook->events.end()) wanting.push_back(hook);
  return wanting;
}

const TrackDomain* Snapshot::track_domain(Id server_id, Id domain_id) const {
  const auto at = std::ranges::find_if(rows_.track_domains, [&](const TrackDomain& row) {
    return row.server_id == server_id && row.domain_id == domain_id && row.dns_status == "OK";
  });
  return at == rows_.track_domains.end() ? nullptr : &*at;
}

const TrackDomain* Snapshot::track_domain_by_host(std::string_view host) const {
  return find(track_domains_by_host_, to_lower(host));
}

std::vector<const IpPoolRule*> Snapshot::ip_pool_rules(const Server& server) const {
  std::vector<const IpPoolRule*> rules;
  const auto add = [&](OwnerType type, Id id) {
    for (const IpPoolRule& rule : rows_.ip_pool_rules)
      if (rule.owner_type == type && rule.owner_id == id) rules.push_back(&rule);
  };
  add(OwnerType::Server, server.id);
  add(OwnerType::Organization, server.organization_id);
  return rules;
}

}  // namespace posthaste::store
