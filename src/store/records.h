// The main database's rows as types, under Postal's column names (data-model.md section 2): what Posthaste acts on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/network.h"
#include "base/time.h"

namespace posthaste::store {

using Id = std::int64_t;

struct User {
  Id id = 0;
  std::string uuid, first_name, last_name, email_address;
  std::optional<std::string> password_digest;
  std::string time_zone = "UTC";
  bool admin = false;
  std::optional<Time> email_verified_at, created_at;
};

struct Organization {
  Id id = 0;
  std::string uuid, name, permalink, time_zone = "UTC";
  std::optional<Id> owner_id;
  std::optional<Time> deleted_at, suspended_at, created_at;
  std::optional<std::string> suspension_reason;
};

// A mail server: a tenant, never a machine.
struct Server {
  Id id = 0, organization_id = 0;
  std::string uuid, name, permalink, token;
  std::string mode = "Live";  // Live, Development
  std::optional<Id> ip_pool_id;
  std::optional<Time> deleted_at, suspended_at, created_at;
  std::optional<std::string> suspension_reason, postmaster_address, domains_not_to_click_track;
  std::optional<std::int64_t> send_limit;
  std::optional<std::int64_t> message_retention_days, raw_message_retention_days, raw_message_retention_size;
  std::optional<double> spam_threshold, spam_failure_threshold, outbound_spam_threshold;
  bool allow_sender = false, log_smtp_data = false, privacy_mode = false;
};

enum class CredentialType { Smtp, Api, SmtpIp };

struct Credential {
  Id id = 0, server_id = 0;
  CredentialType type = CredentialType::Smtp;
  std::string uuid, name, key;
  bool hold = false;
  std::optional<Time> last_used_at;
  std::optional<IpNetwork> network;  // SmtpIp whose key could be parsed
};

enum class OwnerType { Server, Organization };

struct Domain {
  Id id = 0;
  OwnerType owner_type = OwnerType::Server;
  Id owner_id = 0;
  std::string uuid, name, verification_token, verification_method = "DNS";
  std::optional<Time> verified_at, dns_checked_at;
  std::string dkim_private_key;        // PEM
  std::string dkim_identifier_string;  // `aB3dEf`
  // `OK`, `Missing`, `Invalid` or empty (never checked); errors empty when OK
  std::string spf_status, spf_error, dkim_status, dkim_error;
  std::string mx_status, mx_error, return_path_status, return_path_error;
  bool outgoing = true, incoming = true, use_for_any = false;
};

struct Route {
  Id id = 0, server_id = 0;
  std::optional<Id> domain_id, endpoint_id;
  std::string uuid, name, token, mode, spam_mode, endpoint_type;
};

struct IpPool {
  Id id = 0;
  std::string uuid, name;
  bool is_default = false;
};

struct IpAddressRow {
  Id id = 0, ip_pool_id = 0;
  std::string ipv4, ipv6, hostname;
  int priority = 100;
};

// Where a route leads. `last_used_at` is written apart (Store::note_used).
struct HttpEndpoint {
  Id id = 0, server_id = 0;
  std::string uuid, name, url;
  std::string encoding;  // BodyAsJSON, FormData
  std::string format;    // Hash, RawMessage
  bool strip_replies = false, include_attachments = true;
  int timeout = 5;  // seconds
};

struct SmtpEndpoint {
  Id id = 0, server_id = 0;
  std::string uuid, name, hostname;
  std::string ssl_mode;  // None, Auto, STARTTLS, TLS
  int port = 25;
};

struct AddressEndpoint {
  Id id = 0, server_id = 0;
  std::string uuid, address;
};

struct AdditionalEndpoint {
  Id id = 0, route_id = 0, endpoint_id = 0;
  std::string endpoint_type;  // SMTPEndpoint, HTTPEndpoint, AddressEndpoint
};

struct Webhook {
  Id id = 0, server_id = 0;
  std::string uuid, name, url;
  bool all_events = false, enabled = true;
  std::vector<std::string> events;  // named ones; none when all_events
};

struct TrackDomain {
  Id id = 0, server_id = 0, domain_id = 0;
  std::string uuid, name;  // `click`, of `click.example.com`
  std::string dns_status;  // `OK`, `Missing`, `Invalid` or empty
  bool ssl_enabled = true, track_clicks = true, track_loads = true;
  std::string excluded_click_domains;  // lines
};

// Which pool outgoing mail takes: of whoever owns the rule, if one of its lines fits.
struct IpPoolRule {
  Id id = 0, ip_pool_id = 0;
  OwnerType owner_type = OwnerType::Server;
  Id owner_id = 0;
  std::vector<std::string> from, to;  // addresses or domains
};

}  // namespace posthaste::store
