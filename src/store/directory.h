// The configuration tables in memory: an immutable snapshot, asked without touching the database.
//
// Rows of deleted servers and organizations are not found (data-model.md 4.2). Names, tokens, domains and addresses
// match regardless of ASCII case, secrets byte for byte.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/network.h"
#include "store/records.h"

namespace posthaste::store {

class Directory {
 public:
  virtual ~Directory() = default;

  virtual const Organization* organization(Id id) const = 0;
  virtual const Organization* organization(std::string_view permalink) const = 0;
  virtual const Server* server(Id id) const = 0;
  virtual const Server* server_by_token(std::string_view token) const = 0;
  virtual const Server* server(std::string_view organization, std::string_view permalink) const = 0;
  virtual std::vector<const Server*> servers() const = 0;

  // Own or the organization's suspension; the reason is in the rows.
  virtual bool suspended(const Server& server) const = 0;
  // `org/server`
  virtual std::string path(const Server& server) const = 0;

  virtual const Credential* credential(Id id) const = 0;
  virtual const Credential* credential_by_key(CredentialType type, std::string_view key) const = 0;
  virtual std::vector<const Credential*> smtp_credentials(Id server_id) const = 0;
  // Longest prefix among the SMTP-IP networks; ties: lowest id.
  virtual const Credential* credential_by_ip(const IpAddress& ip) const = 0;

  virtual const Domain* domain(Id id) const = 0;
  // Any owner, verified; lowest id.
  virtual const Domain* hosted_domain(std::string_view name) const = 0;
  // The domain that may send as `address_domain` for this server (smtp-server.md 12.4): verified, the server's before
  // the organization's; else the server's first verified one with use_for_any.
  virtual const Domain* sending_domain(const Server& server, std::string_view address_domain) const = 0;
  virtual std::vector<const Domain*> domains() const = 0;

  virtual const Route* route(Id id) const = 0;
  virtual const Route* route_by_token(std::string_view token) const = 0;
  // Exact name, then `*` (smtp-server.md 11.3).
  virtual const Route* route_for(std::string_view local_part, std::string_view domain) const = 0;
  virtual const Route* return_path_route(Id server_id) const = 0;

  virtual const IpAddressRow* ip_address(Id id) const = 0;
  virtual std::vector<const IpAddressRow*> ip_addresses() const { return {}; }

  virtual const HttpEndpoint* http_endpoint(Id) const { return nullptr; }
  virtual const SmtpEndpoint* smtp_endpoint(Id) const { return nullptr; }
  virtual const AddressEndpoint* address_endpoint(Id) const { return nullptr; }
  // Those whose endpoint exists.
  virtual std::vector<const AdditionalEndpoint*> additional_endpoints(Id /*route*/) const { return {}; }

  virtual const Webhook* webhook(Id) const { return nullptr; }
  // Enabled ones that want this event.
  virtual std::vector<const Webhook*> webhooks(Id /*server*/, std::string_view /*event*/) const { return {}; }

  // Of this mail server, for mail from this domain; with a right DNS record.
  virtual const TrackDomain* track_domain(Id /*server*/, Id /*domain*/) const { return nullptr; }
  // By host name, `click.example.com`, whatever its DNS.
  virtual const TrackDomain* track_domain_by_host(std::string_view) const { return nullptr; }
  // In the order in which they are asked: the mail server's before its organization's, each the newest first.
  virtual std::vector<const IpPoolRule*> ip_pool_rules(const Server&) const { return {}; }
};

}  // namespace posthaste::store
