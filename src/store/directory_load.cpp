#include "store/directory_load.h"

#include <mutex>
#include <set>

#include "base/log.h"

namespace posthaste::store {

namespace {

CredentialType credential_type(std::string_view text) {
  if (iequals(text, "API")) return CredentialType::Api;
  return iequals(text, "SMTP-IP") ? CredentialType::SmtpIp : CredentialType::Smtp;
}

std::vector<Organization> read_organizations(Reader& reader) {
  return reader.rows<Organization>(
      "SELECT id, uuid, name, permalink, time_zone, owner_id, deleted_at, suspended_at, created_at, suspension_reason "
      "FROM {main}`organizations` ORDER BY id",
      [](Columns& c, Organization& o) {
        o.id = c.id();
        o.uuid = c.text();
        o.name = c.text();
        o.permalink = c.text();
        o.time_zone = c.text();
        o.owner_id = c.maybe_id();
        o.deleted_at = c.time();
        o.suspended_at = c.time();
        o.created_at = c.time();
        o.suspension_reason = c.maybe_text();
      });
}

std::vector<Server> read_servers(Reader& reader) {
  return reader.rows<Server>(
      "SELECT id, organization_id, uuid, name, permalink, token, mode, ip_pool_id, deleted_at, suspended_at, "
      "created_at, "
      "suspension_reason, postmaster_address, domains_not_to_click_track, send_limit, message_retention_days, "
      "raw_message_retention_days, raw_message_retention_size, spam_threshold, spam_failure_threshold, "
      "outbound_spam_threshold, allow_sender, log_smtp_data, privacy_mode FROM {main}`servers` ORDER BY id",
      [](Columns& c, Server& s) {
        s.id = c.id();
        s.organization_id = c.id();
        s.uuid = c.text();
        s.name = c.text();
        s.permalink = c.text();
        s.token = c.text();
        s.mode = c.text();
        s.ip_pool_id = c.maybe_id();
        s.deleted_at = c.time();
        s.suspended_at = c.time();
        s.created_at = c.time();
        s.suspension_reason = c.maybe_text();
        s.postmaster_address = c.maybe_text();
        s.domains_not_to_click_track = c.maybe_text();
        s.send_limit = c.maybe_id();
        s.message_retention_days = c.maybe_id();
        s.raw_message_retention_days = c.maybe_id();
        s.raw_message_retention_size = c.maybe_id();
        s.spam_threshold = c.maybe_real();
        s.spam_failure_threshold = c.maybe_real();
        s.outbound_spam_threshold = c.maybe_real();
        s.allow_sender = c.flag();
        s.log_smtp_data = c.flag();
        s.privacy_mode = c.flag();
      });
}

// Said once: the directory is read at every change.
void warn_no_network(const Credential& credential) {
  static std::mutex mutex;
  static std::set<Id> told;
  const std::scoped_lock lock(mutex);
  if (!told.insert(credential.id).second) return;
  log::warn("store", "an SMTP-IP credential is no network and not used",
            {{"credential", credential.id}, {"server_id", credential.server_id}, {"key", credential.key}});
}

std::vector<Credential> read_credentials(Reader& reader) {
  return reader.rows<Credential>(
      "SELECT id, server_id, type, uuid, name, `key`, hold, last_used_at FROM {main}`credentials` ORDER BY id",
      [](Columns& c, Credential& r) {
        r.id = c.id();
        r.server_id = c.id();
        r.type = credential_type(c.text());
        r.uuid = c.text();
        r.name = c.text();
        r.key = c.text();
        r.hold = c.flag();
        r.last_used_at = c.time();
        if (r.type != CredentialType::SmtpIp) return;
        r.network = IpNetwork::parse(r.key);
        if (!r.network) warn_no_network(r);
      });
}

std::vector<Domain> read_domains(Reader& reader) {
  return reader.rows<Domain>(
      "SELECT id, owner_type, owner_id, uuid, name, verification_token, verification_method, verified_at, "
      "dns_checked_at, "
      "dkim_private_key, dkim_identifier_string, spf_status, spf_error, dkim_status, dkim_error, mx_status, mx_error, "
      "return_path_status, return_path_error, outgoing, incoming, use_for_any FROM {main}`domains` ORDER BY id",
      [](Columns& c, Domain& d) {
        d.id = c.id();
        d.owner_type = iequals(c.text(), "Organization") ? OwnerType::Organization : OwnerType::Server;
        d.owner_id = c.id();
        d.uuid = c.text();
        d.name = c.text();
        d.verification_token = c.text();
        d.verification_method = c.text();
        d.verified_at = c.time();
        d.dns_checked_at = c.time();
        d.dkim_private_key = c.text();
        d.dkim_identifier_string = c.text();
        for (std::string* text : {&d.spf_status, &d.spf_error, &d.dkim_status, &d.dkim_error, &d.mx_status, &d.mx_error,
                                  &d.return_path_status, &d.return_path_error})
          *text = c.text();
        d.outgoing = c.flag();
        d.incoming = c.flag();
        d.use_for_any = c.flag();
      });
}

std::vector<Route> read_routes(Reader& reader) {
  return reader.rows<Route>(
      "SELECT id, server_id, domain_id, endpoint_id, uuid, name, token, mode, spam_mode, endpoint_type "
      "FROM {main}`routes` ORDER BY id",
      [](Columns& c, Route& r) {
        r.id = c.id();
        r.server_id = c.id();
        r.domain_id = c.maybe_id();
        r.endpoint_id = c.maybe_id();
        r.uuid = c.text();
        r.name = c.text();
        r.token = c.text();
        r.mode = c.text();
        r.spam_mode = c.text();
        r.endpoint_type = c.text();
      });
}

std::vector<IpAddressRow> read_ip_addresses(Reader& reader) {
  return reader.rows<IpAddressRow>(
      "SELECT id, ip_pool_id, ipv4, ipv6, hostname, COALESCE(priority, 100) FROM {main}`ip_addresses` ORDER BY id",
      [](Columns& c, IpAddressRow& a) {
        a.id = c.id();
        a.ip_pool_id = c.id();
        a.ipv4 = c.text();
        a.ipv6 = c.text();
        a.hostname = c.text();
        a.priority = c.number();
      });
}

std::vector<std::string> conditions(std::string_view text) {
  std::vector<std::string> lines;
  for (const auto line : split(text, '\n'))
    if (!trim(line).empty()) lines.emplace_back(trim(line));
  return lines;
}

std::vector<IpPoolRule> read_ip_pool_rules(Reader& reader) {
  return reader.rows<IpPoolRule>(
      "SELECT id, ip_pool_id, owner_type, owner_id, from_text, to_text FROM {main}`ip_pool_rules` WHERE ip_pool_id IS "
      "NOT NULL ORDER BY created_at DESC, id DESC",
      [](Columns& c, IpPoolRule& r) {
        r.id = c.id();
        r.ip_pool_id = c.id();
        r.owner_type = c.text() == "Organization" ? OwnerType::Organization : OwnerType::Server;
        r.owner_id = c.id();
        r.from = conditions(c.text());
        r.to = conditions(c.text());
      });
}

}  // namespace

ConfigurationRows read_configuration(sql::Connection& connection, const sql::Names& names) {
  Reader reader(connection, names);
  ConfigurationRows rows;
  rows.organizations = read_organizations(reader);
  rows.servers = read_servers(reader);
  rows.credentials = read_credentials(reader);
  rows.domains = read_domains(reader);
  rows.routes = read_routes(reader);
  rows.ip_addresses = read_ip_addresses(reader);
  read_endpoints(reader, rows);
  rows.ip_pool_rules = read_ip_pool_rules(reader);
  return rows;
}

}  // namespace posthaste::store
