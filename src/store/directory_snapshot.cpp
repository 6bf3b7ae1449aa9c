// Building the indexes. Rows come in the order of their ids and the first of several equal keys wins, as with Postal's
// "lowest id".
#include "store/directory_snapshot.h"

namespace posthaste::store {

namespace {

constexpr std::string_view kReturnPathRoute = "__returnpath__";

}  // namespace

Snapshot::Snapshot(ConfigurationRows rows) : rows_(std::move(rows)) {
  index_organizations();
  index_servers();
  index_credentials();
  index_domains();
  index_routes();
  index_endpoints();
  index_tracking();
  for (const IpAddressRow& row : rows_.ip_addresses) ip_addresses_.emplace(row.id, &row);
}

void Snapshot::index_organizations() {
  for (const Organization& row : rows_.organizations) {
    if (row.deleted_at) continue;
    organizations_.emplace(row.id, &row);
    organizations_by_permalink_.emplace(row.permalink, &row);
  }
}

void Snapshot::index_servers() {
  for (const Server& row : rows_.servers) {
    if (row.deleted_at || !organizations_.contains(row.organization_id)) {
      hidden_servers_.push_back(row.id);
      continue;
    }
    servers_.emplace(row.id, &row);
    if (!row.token.empty()) servers_by_token_.emplace(row.token, &row);
    servers_by_permalink_[row.organization_id].emplace(row.permalink, &row);
  }
}

void Snapshot::index_credentials() {
  for (const Credential& row : rows_.credentials) {
    if (!servers_.contains(row.server_id)) continue;
    credentials_.emplace(row.id, &row);
    switch (row.type) {
      case CredentialType::Smtp:
        smtp_keys_.emplace(row.key, &row);
        smtp_credentials_[row.server_id].push_back(&row);
        break;
      case CredentialType::Api:
        api_keys_.emplace(row.key, &row);
        break;
      case CredentialType::SmtpIp:
        ip_keys_.emplace(row.key, &row);
        if (row.network) ip_credentials_.push_back(&row);
        break;
    }
  }
  std::ranges::stable_sort(ip_credentials_, std::ranges::greater(), [](const Credential* c) {
    // An IPv4 prefix counts behind ::ffff:0:0/96, so that lengths of both families compare.
    return c->network->prefix + (c->network->address.v6 ? 0 : 96);
  });
}

void Snapshot::index_domains() {
  for (const Domain& row : rows_.domains) {
    const bool of_server = row.owner_type == OwnerType::Server;
    if (of_server ? !servers_.contains(row.owner_id) : !organizations_.contains(row.owner_id)) continue;
    domains_.emplace(row.id, &row);
    domains_by_name_[row.name].push_back(&row);
    if (!of_server || !row.use_for_any || !row.verified_at) continue;
    const auto [first, is_new] = any_domains_.emplace(row.owner_id, &row);
    if (!is_new && to_lower(row.name) < to_lower(first->second->name)) first->second = &row;
  }
}

void Snapshot::index_routes() {
  for (const Route& row : rows_.routes) {
    if (!servers_.contains(row.server_id)) continue;
    routes_.emplace(row.id, &row);
    if (!row.token.empty()) routes_by_token_.emplace(row.token, &row);
    if (row.name == kReturnPathRoute) return_path_routes_.emplace(row.server_id, &row);
    if (!row.domain_id) continue;
    const auto domain = domains_.find(*row.domain_id);
    if (domain != domains_.end()) routes_by_domain_[domain->second->name].emplace(row.name, &row);
  }
}

void Snapshot::index_endpoints() {
  for (const HttpEndpoint& row : rows_.http_endpoints) http_endpoints_.emplace(row.id, &row);
  for (const SmtpEndpoint& row : rows_.smtp_endpoints) smtp_endpoints_.emplace(row.id, &row);
  for (const AddressEndpoint& row : rows_.address_endpoints) address_endpoints_.emplace(row.id, &row);
  const auto exists = [&](const AdditionalEndpoint& row) {
    if (row.endpoint_type == "HTTPEndpoint") return http_endpoints_.contains(row.endpoint_id);
    if (row.endpoint_type == "SMTPEndpoint") return smtp_endpoints_.contains(row.endpoint_id);
    return row.endpoint_type == "AddressEndpoint" && address_endpoints_.contains(row.endpoint_id);
  };
  for (const AdditionalEndpoint& row : rows_.additional_endpoints)
    if (exists(row)) additional_endpoints_[row.route_id].push_back(&row);
  for (const Webhook& row : rows_.webhooks) {
    webhooks_.emplace(row.id, &row);
    if (row.enabled) webhooks_of_servers_[row.server_id].push_back(&row);
  }
}

void Snapshot::index_tracking() {
  for (const TrackDomain& row : rows_.track_domains) {
    if (row.dns_status == "OK") tracked_domains_.insert(row.domain_id);
    const auto domain = domains_.find(row.domain_id);
    if (domain == domains_.end()) continue;
    track_domains_by_host_.emplace(to_lower(row.name + "." + domain->second->name), &row);
  }
}

}  // namespace posthaste::store
