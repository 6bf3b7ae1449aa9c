// The main database (data-model.md section 2).
#include "store/schema_tables.h"

namespace posthaste::store::schema {

namespace {

constexpr Table kMain[] = {
    {"additional_route_endpoints", "id PK, route_id i, endpoint_type s, endpoint_id i, created_at D, updated_at D"},
    {"address_endpoints", "id PK, server_id i, uuid s, address s~, last_used_at d, created_at D, updated_at D"},
    {"authie_sessions",
     "id PK, token s, browser_id s, user_id i, active b1, data t, expires_at d, login_at d, login_ip s, "
     "last_activity_at d, last_activity_ip s, last_activity_path s, user_agent s, created_at d, updated_at d, "
     "user_type s, parent_id i, two_factored_at d, two_factored_ip s, requests i0, password_seen_at d, "
     "token_hash s, host s, skip_two_factor b0, login_ip_country s, two_factored_ip_country s, "
     "last_activity_ip_country s",
     "index_authie_sessions_on_browser_id (browser_id(8)); index_authie_sessions_on_token (token(8)); "
     "index_authie_sessions_on_token_hash (token_hash(8)); index_authie_sessions_on_user_id (user_id)"},
    {"credentials",
     "id PK, server_id i, key s, type s, name s, options t, last_used_at d6, created_at d6, updated_at d6, "
     "hold b0, uuid s"},
    {"domains",
     "id PK, server_id i, uuid s, name s~, verification_token s, verification_method s, verified_at d, "
     "dkim_private_key t, created_at d6, updated_at d6, dns_checked_at d6, spf_status s, spf_error s, "
     "dkim_status s, dkim_error s, mx_status s, mx_error s, return_path_status s, return_path_error s, "
     "outgoing b1, incoming b1, owner_type s, owner_id i, dkim_identifier_string s, use_for_any b",
     "index_domains_on_server_id (server_id); index_domains_on_uuid (uuid(8))"},
    {"http_endpoints",
     "id PK, server_id i, uuid s, name s, url s, encoding s, format s, strip_replies b0, error t, "
     "disabled_until d6, last_used_at d6, created_at d6, updated_at d6, include_attachments b1, timeout i"},
    {"ip_addresses", "id PK, ip_pool_id i, ipv4 s, ipv6 s, created_at d6, updated_at d6, hostname s, priority i"},
    {"ip_pool_rules",
     "id PK, uuid s, owner_type s, owner_id i, ip_pool_id i, from_text t, to_text t, created_at D, "
     "updated_at D"},
    {"ip_pools", "id PK, name s, uuid s, created_at d6, updated_at d6, default b0", "index_ip_pools_on_uuid (uuid(8))"},
    {"organization_ip_pools", "id PK, organization_id i, ip_pool_id i, created_at D, updated_at D"},
    {"organization_users", "id PK, organization_id i, user_id i, created_at d6, admin b0, all_servers b1, user_type s"},
    {"organizations",
     "id PK, uuid s, name s, permalink s~, time_zone s, created_at d6, updated_at d6, ip_pool_id i, "
     "owner_id i, deleted_at d6, suspended_at d6, suspension_reason s",
     "index_organizations_on_permalink (permalink(8)); index_organizations_on_uuid (uuid(8))"},
    {"routes",
     "id PK, uuid s, server_id i, domain_id i, endpoint_id i, endpoint_type s, name s~, spam_mode s, "
     "created_at d6, updated_at d6, token s~, mode s",
     "index_routes_on_token (token(6))"},
    {"scheduled_tasks", "id PK8, name s, next_run_after d", "unique index_scheduled_tasks_on_name (name)"},
    {"servers",
     "id PK, organization_id i, uuid s, name s~, mode s, ip_pool_id i, created_at d6, updated_at d6, "
     "permalink s~, send_limit i, deleted_at d6, message_retention_days i, raw_message_retention_days i, "
     "raw_message_retention_size i, allow_sender b0, token s~, send_limit_approaching_at d6, "
     "send_limit_approaching_notified_at d6, send_limit_exceeded_at d6, send_limit_exceeded_notified_at d6, "
     "spam_threshold n, spam_failure_threshold n, postmaster_address s, suspended_at d6, "
     "outbound_spam_threshold n, domains_not_to_click_track t, suspension_reason s, log_smtp_data b0, "
     "privacy_mode b0",
     "index_servers_on_organization_id (organization_id); index_servers_on_permalink (permalink(6)); "
     "index_servers_on_token (token(6)); index_servers_on_uuid (uuid(8))"},
    {"smtp_endpoints",
     "id PK, server_id i, uuid s, name s, hostname s, ssl_mode s, port i, error t, disabled_until d6, "
     "last_used_at d6, created_at d6, updated_at d6"},
    {"statistics", "id PK, total_messages I0, total_outgoing I0, total_incoming I0"},
    {"track_certificates",
     "id PK, domain s, certificate t, intermediaries t, key t, expires_at d, renew_after d, "
     "verification_path s, verification_string s, created_at D, updated_at D",
     "index_track_certificates_on_domain (domain(8))"},
    {"track_domains",
     "id PK, uuid s, server_id i, domain_id i, name s~, dns_checked_at d, dns_status s, dns_error s, "
     "created_at D, updated_at D, ssl_enabled b1, track_clicks b1, track_loads b1, excluded_click_domains t"},
    {"user_invites", "id PK, uuid s, email_address s~, expires_at d6, created_at d6, updated_at d6",
     "index_user_invites_on_uuid (uuid(12))"},
    {"users",
     "id PK, uuid s, first_name s, last_name s, email_address s~, password_digest s, time_zone s, "
     "email_verification_token s, email_verified_at d, created_at d6, updated_at d6, password_reset_token s, "
     "password_reset_token_valid_until d, admin b0, oidc_uid s, oidc_issuer s",
     "index_users_on_email_address (email_address(8)); index_users_on_uuid (uuid(8))"},
    {"webhook_events", "id PK, webhook_id i, event s, created_at d6",
     "index_webhook_events_on_webhook_id (webhook_id)"},
    {"webhooks",
     "id PK, server_id i, uuid s, name s, url s, last_used_at d, all_events b0, enabled b1, sign b1, "
     "created_at d6, updated_at d6",
     "index_webhooks_on_server_id (server_id)"},
    {"worker_roles", "id PK8, role s, worker s, acquired_at d", "unique index_worker_roles_on_role (role)"},
};

constexpr Table kQueue[] = {
    {"queued_messages",
     "id PK, server_id i, message_id i, domain s, locked_by s, locked_at d6, retry_after d, created_at d6, "
     "updated_at d6, ip_address_id i, attempts i0, route_id i, manual b0, batch_key s",
     "index_queued_messages_on_domain (domain(8)); index_queued_messages_on_message_id (message_id); "
     "index_queued_messages_on_server_id (server_id)"},
    {"webhook_requests",
     "id PK, server_id i, webhook_id i, url s, event s, uuid s, payload t, attempts i0, retry_after d6, "
     "error t, created_at d6, locked_by s, locked_at d",
     "index_webhook_requests_on_locked_by (locked_by)"},
};

constexpr Table kBookkeeping[] = {
    {"schema_migrations", "version s!", "primary (version)"},
    {"ar_internal_metadata", "key s!, value s, created_at D6, updated_at D6", "primary (key)"},
};

// Section 19.4.
constexpr Table kOwn[] = {
    {"posthaste_nodes", "id uuid!, hostname s, version s, roles s, addresses t, start_no I!, started_at d6, seen_at d6",
     "primary (id)"},
    {"posthaste_changes", "name s64!, seq I!", "primary (name)"},
    {"posthaste_settings", "scope s64!, scope_id I!, name s64!, value t", "primary (scope, scope_id, name)"},
};

// Everything that Postal only validates is a unique index here, and the look-ups of one row have theirs.
constexpr std::string_view kSqliteIndexes = R"(
CREATE UNIQUE INDEX IF NOT EXISTS users_email_address ON users (email_address);
CREATE UNIQUE INDEX IF NOT EXISTS user_invites_email_address ON user_invites (email_address);
CREATE UNIQUE INDEX IF NOT EXISTS organizations_permalink ON organizations (permalink);
CREATE UNIQUE INDEX IF NOT EXISTS servers_name ON servers (organization_id, name);
CREATE UNIQUE INDEX IF NOT EXISTS servers_permalink ON servers (organization_id, permalink);
CREATE UNIQUE INDEX IF NOT EXISTS servers_token ON servers (token);
CREATE UNIQUE INDEX IF NOT EXISTS credentials_key ON credentials (`key`);
CREATE UNIQUE INDEX IF NOT EXISTS credentials_uuid ON credentials (uuid);
CREATE UNIQUE INDEX IF NOT EXISTS domains_name ON domains (name, owner_type, owner_id);
CREATE UNIQUE INDEX IF NOT EXISTS routes_name ON routes (domain_id, name);
CREATE UNIQUE INDEX IF NOT EXISTS routes_token ON routes (token);
CREATE UNIQUE INDEX IF NOT EXISTS address_endpoints_address ON address_endpoints (server_id, address);
CREATE UNIQUE INDEX IF NOT EXISTS ip_addresses_ipv4 ON ip_addresses (ipv4);
CREATE UNIQUE INDEX IF NOT EXISTS ip_addresses_ipv6 ON ip_addresses (ipv6);
CREATE UNIQUE INDEX IF NOT EXISTS track_domains_name ON track_domains (domain_id, name);
CREATE UNIQUE INDEX IF NOT EXISTS track_domains_server ON track_domains (server_id, domain_id);
CREATE UNIQUE INDEX IF NOT EXISTS organization_users_user ON organization_users (organization_id, user_id, user_type);
CREATE UNIQUE INDEX IF NOT EXISTS scheduled_tasks_name ON scheduled_tasks (name);
CREATE UNIQUE INDEX IF NOT EXISTS worker_roles_role ON worker_roles (role);
CREATE INDEX IF NOT EXISTS authie_sessions_token_hash ON authie_sessions (token_hash);
CREATE INDEX IF NOT EXISTS authie_sessions_user ON authie_sessions (user_id);
CREATE INDEX IF NOT EXISTS credentials_server ON credentials (server_id);
CREATE INDEX IF NOT EXISTS domains_owner ON domains (owner_type, owner_id);
CREATE INDEX IF NOT EXISTS routes_server ON routes (server_id);
CREATE INDEX IF NOT EXISTS webhooks_server ON webhooks (server_id);
CREATE INDEX IF NOT EXISTS webhook_events_webhook ON webhook_events (webhook_id);
)";

}  // namespace

std::span<const Table> main_tables() { return kMain; }
std::span<const Table> queue_tables() { return kQueue; }
std::span<const Table> main_bookkeeping() { return kBookkeeping; }
std::span<const Table> own_main_tables() { return kOwn; }
std::string_view sqlite_main_indexes() { return kSqliteIndexes; }

// The history of webhooks is called webhook_requests in a server's file already.
std::span<const Table> sqlite_queue_tables() {
  static constexpr Table kTables[] = {kQueue[0], {"queued_webhook_requests", kQueue[1].columns}};
  return kTables;
}

}  // namespace posthaste::store::schema
