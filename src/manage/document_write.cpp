#include "manage/document_write.h"

#include "manage/dns_records.h"

namespace posthaste::manage {

namespace {

template <class T>
Tree tree(const Field<T>& field) {
  return field.has_value() ? Tree(*field) : Tree();
}
Tree tree(const std::vector<std::string>& texts) {
  Tree::List list;
  for (const auto& text : texts) list.emplace_back(text);
  return Tree(std::move(list));
}
// A suspension: its reason, or nothing.
Tree suspension(const auto& fields) {
  return fields.suspended_at.has_value() ? Tree(fields.suspension_reason.value_or("")) : Tree();
}

template <class Fields>
Tree begin(const Row<Fields>& row, const WriteOptions& options) {
  Tree out{Tree::Map()};
  if (options.ids) out.set("id", row.id);
  if (detail::has_uuid<Fields>()) out.set("uuid", row.uuid);
  return out;
}

template <class Fields>
std::string key_of(Work& work, Id id) {
  auto endpoint = select_one<Fields>(work, "`id` = ?", {id});
  return endpoint ? (endpoint->fields.*Fields::key().member).value_or("") : "";
}

Tree write_endpoint_name(Work& work, const EndpointRef& endpoint) {
  Tree out{Tree::Map()};
  if (endpoint.type == HttpEndpointFields::kType) out.set("http", key_of<HttpEndpointFields>(work, endpoint.id));
  if (endpoint.type == SmtpEndpointFields::kType) out.set("smtp", key_of<SmtpEndpointFields>(work, endpoint.id));
  if (endpoint.type == AddressEndpointFields::kType)
    out.set("address", key_of<AddressEndpointFields>(work, endpoint.id));
  return out;
}

Tree domain_name(Work& work, const Field<Id>& id) {
  auto domain = select_one<DomainFields>(work, "`id` = ?", {id.value_or(0)});
  return domain ? tree(domain->fields.name) : Tree();
}

}  // namespace

Tree write_user(const User& user, const WriteOptions& options) {
  const auto& f = user.fields;
  Tree out = begin(user, options);
  out.set("email_address", tree(f.email_address));
  out.set("first_name", tree(f.first_name));
  out.set("last_name", tree(f.last_name));
  out.set("admin", f.admin.value_or(false));
  out.set("time_zone", tree(f.time_zone));
  if (options.secrets && f.password_digest.has_value()) out.set("password_digest", *f.password_digest);
  return out;
}

Tree write_ip_address(const IpAddress& address, const WriteOptions& options) {
  const auto& f = address.fields;
  Tree out = begin(address, options);
  out.set("ipv4", tree(f.ipv4));
  out.set("ipv6", tree(f.ipv6));
  out.set("hostname", tree(f.hostname));
  out.set("priority", tree(f.priority));
  return out;
}

Tree write_ip_pool(const IpPool& pool, const WriteOptions& options) {
  Tree out = begin(pool, options);
  out.set("name", tree(pool.fields.name));
  out.set("default", pool.fields.is_default.value_or(false));
  return out;
}

Tree write_organization(Work& work, const Organization& organization, const WriteOptions& options) {
  const auto& f = organization.fields;
  Tree out = begin(organization, options);
  out.set("permalink", tree(f.permalink));
  out.set("name", tree(f.name));
  out.set("time_zone", tree(f.time_zone));
  out.set("suspended", suspension(f));
  auto owner = select_one<UserFields>(work, "`id` = ?", {f.owner_id.value_or(0)});
  if (owner) out.set("owner", tree(owner->fields.email_address));
  out.set("members", tree(organization_members(work, organization.id)));
  out.set("ip_pools", tree(organization_pools(work, organization.id)));
  return out;
}

Tree write_server(Work& work, const Server& server, const WriteOptions& options) {
  const auto& f = server.fields;
  Tree out = begin(server, options);
  out.set("permalink", tree(f.permalink));
  out.set("name", tree(f.name));
  out.set("mode", tree(f.mode));
  out.set("token", tree(f.token));
  out.set("suspended", suspension(f));
  auto pool = select_one<IpPoolFields>(work, "`id` = ?", {f.ip_pool_id.value_or(0)});
  if (pool) out.set("ip_pool", tree(pool->fields.name));
  Tree settings{Tree::Map()};
  settings.set("send_limit", tree(f.send_limit));
  settings.set("message_retention_days", tree(f.message_retention_days));
  settings.set("raw_message_retention_days", tree(f.raw_message_retention_days));
  settings.set("raw_message_retention_size", tree(f.raw_message_retention_size));
  settings.set("allow_sender", f.allow_sender.value_or(false));
  settings.set("spam_threshold", tree(f.spam_threshold));
  settings.set("spam_failure_threshold", tree(f.spam_failure_threshold));
  settings.set("outbound_spam_threshold", tree(f.outbound_spam_threshold));
  settings.set("postmaster_address", tree(f.postmaster_address));
  settings.set("domains_not_to_click_track", tree(f.domains_not_to_click_track));
  settings.set("log_smtp_data", f.log_smtp_data.value_or(false));
  settings.set("privacy_mode", f.privacy_mode.value_or(false));
  out.set("settings", std::move(settings));
  return out;
}

Tree write_domain(Work& work, const Domain& domain, const WriteOptions& options) {
  const auto& f = domain.fields;
  DomainNames names{f.name.value_or(""), f.verification_token.value_or(""), f.dkim_identifier_string.value_or(""),
                    f.dkim_private_key.value_or(""), f.verified_at.has_value()};
  Tree out = begin(domain, options);
  out.set("name", tree(f.name));
  out.set("verified", f.verified_at.has_value());
  out.set("outgoing", f.outgoing.value_or(true));
  out.set("incoming", f.incoming.value_or(true));
  out.set("use_for_any", f.use_for_any.value_or(false));
  out.set("verification_method", tree(f.verification_method));
  out.set("verification_token", tree(f.verification_token));
  out.set("dkim_name", dkim_record_name(work.config(), names));
  out.set("dkim_value", dkim_record_value(names));
  if (!options.secrets) return out;
  out.set("dkim_identifier", tree(f.dkim_identifier_string));
  out.set("dkim_private_key", tree(f.dkim_private_key));
  return out;
}

Tree write_credential(const Credential& credential, const WriteOptions& options) {
  const auto& f = credential.fields;
  Tree out = begin(credential, options);
  out.set("type", tree(f.type));
  out.set("name", tree(f.name));
  if (options.keys || f.type.value_or("") == "SMTP-IP") out.set("key", tree(f.key));
  out.set("hold", f.hold.value_or(false));
  return out;
}

Tree write_endpoint(const Row<HttpEndpointFields>& endpoint, const WriteOptions& options) {
  const auto& f = endpoint.fields;
  Tree out = begin(endpoint, options);
  out.set("name", tree(f.name));
  out.set("url", tree(f.url));
  out.set("encoding", tree(f.encoding));
  out.set("format", tree(f.format));
  out.set("strip_replies", f.strip_replies.value_or(false));
  out.set("include_attachments", f.include_attachments.value_or(true));
  out.set("timeout", tree(f.timeout));
  return out;
}

Tree write_endpoint(const Row<SmtpEndpointFields>& endpoint, const WriteOptions& options) {
  Tree out = begin(endpoint, options);
  out.set("name", tree(endpoint.fields.name));
  out.set("hostname", tree(endpoint.fields.hostname));
  out.set("port", tree(endpoint.fields.port));
  out.set("ssl_mode", tree(endpoint.fields.ssl_mode));
  return out;
}

Tree write_endpoint(const Row<AddressEndpointFields>& endpoint, const WriteOptions& options) {
  Tree out = begin(endpoint, options);
  out.set("address", tree(endpoint.fields.address));
  return out;
}

Tree write_route(Work& work, const Route& route, const WriteOptions& options) {
  const auto& f = route.fields;
  Tree out = begin(route, options);
  out.set("name", tree(f.name));
  out.set("domain", domain_name(work, f.domain_id));
  out.set("mode", tree(f.mode));
  out.set("spam_mode", tree(f.spam_mode));
  out.set("token", tree(f.token));
  if (f.endpoint_id.has_value() && f.endpoint_type.has_value())
    out.set("endpoint", write_endpoint_name(work, {*f.endpoint_type, *f.endpoint_id}));
  Tree::List additional;
  for (const auto& endpoint : f.additional.value_or({})) additional.push_back(write_endpoint_name(work, endpoint));
  out.set("additional", Tree(std::move(additional)));
  return out;
}

Tree write_webhook(const Webhook& webhook, const WriteOptions& options) {
  const auto& f = webhook.fields;
  Tree out = begin(webhook, options);
  out.set("name", tree(f.name));
  out.set("url", tree(f.url));
  out.set("all_events", f.all_events.value_or(false));
  out.set("events", tree(f.events.value_or({})));
  out.set("sign", f.sign.value_or(true));
  out.set("enabled", f.enabled.value_or(true));
  return out;
}

Tree write_track_domain(Work& work, const TrackDomain& track, const WriteOptions& options) {
  const auto& f = track.fields;
  Tree out = begin(track, options);
  out.set("name", tree(f.name));
  out.set("domain", domain_name(work, f.domain_id));
  out.set("track_clicks", f.track_clicks.value_or(true));
  out.set("track_loads", f.track_loads.value_or(true));
  out.set("ssl_enabled", f.ssl_enabled.value_or(true));
  out.set("excluded_click_domains", f.excluded_click_domains.value_or(""));
  return out;
}

Tree write_suppression(const Suppression& suppression) {
  Tree out{Tree::Map()};
  out.set("address", suppression.address);
  out.set("reason", suppression.reason);
  out.set("keep_until", to_iso8601(suppression.keep_until, 6));
  return out;
}

}  // namespace posthaste::manage
