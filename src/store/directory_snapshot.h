// The rows of the configuration tables, and the Directory built from them.
#pragma once

#include <memory>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/strings.h"
#include "sql/sql.h"
#include "store/directory.h"

namespace posthaste::store {

// Everything, deleted rows too, in the order of their ids.
struct ConfigurationRows {
  std::vector<Organization> organizations;
  std::vector<Server> servers;
  std::vector<Credential> credentials;
  std::vector<Domain> domains;
  std::vector<Route> routes;
  std::vector<IpAddressRow> ip_addresses;
  std::vector<HttpEndpoint> http_endpoints;
  std::vector<SmtpEndpoint> smtp_endpoints;
  std::vector<AddressEndpoint> address_endpoints;
  std::vector<AdditionalEndpoint> additional_endpoints;
  std::vector<Webhook> webhooks;
  std::vector<TrackDomain> track_domains;
  std::vector<IpPoolRule> ip_pool_rules;  // the newest first
};

// Reads the tables; call it inside one transaction where they must fit together.
ConfigurationRows read_configuration(sql::Connection& connection, const sql::Names& names);

class Snapshot final : public Directory {
 public:
  explicit Snapshot(ConfigurationRows rows);
  Snapshot(const Snapshot&) = delete;

  const Organization* organization(Id id) const override;
  const Organization* organization(std::string_view permalink) const override;
  const Server* server(Id id) const override;
  const Server* server_by_token(std::string_view token) const override;
  const Server* server(std::string_view organization, std::string_view permalink) const override;
  std::vector<const Server*> servers() const override;
  bool suspended(const Server& server) const override;
  std::string path(const Server& server) const override;

  const Credential* credential(Id id) const override;
  const Credential* credential_by_key(CredentialType type, std::string_view key) const override;
  std::vector<const Credential*> smtp_credentials(Id server_id) const override;
  const Credential* credential_by_ip(const IpAddress& ip) const override;

  const Domain* domain(Id id) const override;
  const Domain* hosted_domain(std::string_view name) const override;
  const Domain* sending_domain(const Server& server, std::string_view address_domain) const override;
  std::vector<const Domain*> domains() const override;

  const Route* route(Id id) const override;
  const Route* route_by_token(std::string_view token) const override;
  const Route* route_for(std::string_view local_part, std::string_view domain) const override;
  const Route* return_path_route(Id server_id) const override;

  const IpAddressRow* ip_address(Id id) const override;
  std::vector<const IpAddressRow*> ip_addresses() const override;
  std::vector<const IpPoolRule*> ip_pool_rules(const Server& server) const override;

  const HttpEndpoint* http_endpoint(Id id) const override;
  const SmtpEndpoint* smtp_endpoint(Id id) const override;
  const AddressEndpoint* address_endpoint(Id id) const override;
  std::vector<const AdditionalEndpoint*> additional_endpoints(Id route_id) const override;
  const Webhook* webhook(Id id) const override;
  std::vector<const Webhook*> webhooks(Id server_id, std::string_view event) const override;
  const TrackDomain* track_domain(Id server_id, Id domain_id) const override;
  const TrackDomain* track_domain_by_host(std::string_view host) const override;

  // --- for the store itself
  bool tracked(Id domain_id) const { return tracked_domains_.contains(domain_id); }
  // Mail servers that are deleted, themselves or with their organization, but not purged yet.
  const std::vector<Id>& hidden_servers() const { return hidden_servers_; }

 private:
  template <class T>
  using ById = std::unordered_map<Id, const T*>;
  template <class T>
  using ByName = std::unordered_map<std::string_view, T, CaseHash, CaseEqual>;

  void index_organizations();
  void index_servers();
  void index_credentials();
  void index_domains();
  void index_routes();
  void index_endpoints();
  void index_tracking();

  const ConfigurationRows rows_;  // the indexes below point and look into it
  ById<Organization> organizations_;
  ByName<const Organization*> organizations_by_permalink_;
  ById<Server> servers_;
  std::vector<Id> hidden_servers_;
  ByName<const Server*> servers_by_token_;
  std::unordered_map<Id, ByName<const Server*>> servers_by_permalink_;  // of an organization
  ById<Credential> credentials_;
  std::unordered_map<std::string_view, const Credential*> smtp_keys_, api_keys_, ip_keys_;
  std::unordered_map<Id, std::vector<const Credential*>> smtp_credentials_;
  std::vector<const Credential*> ip_credentials_;  // longest prefix first
  ById<Domain> domains_;
  ByName<std::vector<const Domain*>> domains_by_name_;
  std::unordered_map<Id, const Domain*> any_domains_;  // use_for_any, by server: the first by name
  ById<Route> routes_;
  ByName<const Route*> routes_by_token_;
  ByName<ByName<const Route*>> routes_by_domain_;
  std::unordered_map<Id, const Route*> return_path_routes_;
  ById<IpAddressRow> ip_addresses_;
  ById<HttpEndpoint> http_endpoints_;
  ById<SmtpEndpoint> smtp_endpoints_;
  ById<AddressEndpoint> address_endpoints_;
  std::unordered_map<Id, std::vector<const AdditionalEndpoint*>> additional_endpoints_;  // by route
  ById<Webhook> webhooks_;
  std::unordered_map<Id, std::vector<const Webhook*>> webhooks_of_servers_;  // enabled ones
  std::unordered_set<Id> tracked_domains_;  // domains with a tracking domain whose DNS is right
  std::unordered_map<std::string, const TrackDomain*> track_domains_by_host_;  // in lower case
};

}  // namespace posthaste::store
