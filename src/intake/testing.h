// For tests: the configuration tables of two small mail servers, as a directory.
#pragma once

#include <memory>

#include "config/config.h"
#include "store/directory_snapshot.h"

namespace posthaste::intake::testing {

// Server 1 `acme/shop` (token shopaa) owns shop.test; acme owns acme.test. Server 2 `acme/closed` is suspended.
// Routes of 1 on shop.test: info (Accept, token tokninfo), hook (Endpoint), reject (Reject), `*` (Hold); of 2 on
// closed.test: info. Credentials: 1 SMTP `Key1` and 4 SMTP-IP 10.0.0.0/8 of 1, 2 SMTP `Key2` and 5 SMTP-IP 11.0.0.0/8
// of 2.
inline store::ConfigurationRows rows() {
  store::ConfigurationRows r;
  r.organizations.push_back({.id = 1, .name = "Acme", .permalink = "acme"});
  store::Server shop;
  shop.id = 1;
  shop.organization_id = 1;
  shop.permalink = "shop";
  shop.token = "shopaa";
  store::Server closed = shop;
  closed.id = 2;
  closed.permalink = "closed";
  closed.token = "closed";
  closed.suspended_at = Time(1s);
  r.servers = {shop, closed};

  const auto credential = [&](store::Id id, store::Id server, store::CredentialType type, std::string key) {
    store::Credential c;
    c.id = id;
    c.server_id = server;
    c.type = type;
    c.key = key;
    if (type == store::CredentialType::SmtpIp) c.network = IpNetwork::parse(key);
    r.credentials.push_back(c);
  };
  credential(1, 1, store::CredentialType::Smtp, "Key1");
  credential(2, 2, store::CredentialType::Smtp, "Key2");
  credential(4, 1, store::CredentialType::SmtpIp, "10.0.0.0/8");
  credential(5, 2, store::CredentialType::SmtpIp, "11.0.0.0/8");

  const auto domain = [&](store::Id id, store::OwnerType type, store::Id owner, std::string name, bool verified) {
    store::Domain d;
    d.id = id;
    d.owner_type = type;
    d.owner_id = owner;
    d.name = std::move(name);
    if (verified) d.verified_at = Time(1s);
    r.domains.push_back(d);
  };
  domain(1, store::OwnerType::Server, 1, "shop.test", true);
  domain(2, store::OwnerType::Organization, 1, "acme.test", true);
  domain(3, store::OwnerType::Server, 1, "unverified.test", false);
  domain(4, store::OwnerType::Server, 2, "closed.test", true);

  const auto route = [&](store::Id id, store::Id server, std::optional<store::Id> domain_id, std::string name,
                         std::string mode, std::string token) {
    store::Route t;
    t.id = id;
    t.server_id = server;
    t.domain_id = domain_id;
    t.name = std::move(name);
    t.mode = std::move(mode);
    t.token = std::move(token);
    r.routes.push_back(t);
  };
  route(1, 1, 1, "info", "Accept", "tokninfo");
  route(2, 1, 1, "hook", "Endpoint", "toknhook");
  r.routes.back().endpoint_type = "HTTPEndpoint";
  r.routes.back().endpoint_id = 9;
  route(3, 1, 1, "reject", "Reject", "toknrejc");
  route(4, 1, 1, "*", "Hold", "toknstar");
  route(5, 2, 4, "info", "Accept", "toknclos");
  route(6, 1, std::nullopt, "__returnpath__", "Endpoint", "toknretn");
  return r;
}

inline std::shared_ptr<const store::Directory> directory(store::ConfigurationRows r = rows()) {
  return std::make_shared<store::Snapshot>(std::move(r));
}

inline config::Config configuration() {
  config::Config c;
  c.postal.smtp_hostname = "mx.example.com";
  c.dns.return_path_domain = "rp.example.com";
  c.dns.custom_return_path_prefix = "psrp";
  c.dns.route_domain = "routes.example.com";
  return c;
}

}  // namespace posthaste::intake::testing
