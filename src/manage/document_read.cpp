#include "manage/document.h"
#include "manage/document_reader.h"
#include "manage/problems.h"

namespace posthaste::manage {

namespace {

// Every item has these. `id` is for those who read what apply prints.
template <class Item>
void read_common(MapReader& in, Item& item) {
  in.ignore({"id"});
  if constexpr (requires { item.uuid; }) in.value("uuid", item.uuid);
  item.path = in.path();
  item.line = in.line();
}

// Reads the list under `key`; `name_of(tree)` is the item's key, for its path.
template <class T, class Read, class NameOf>
void read_items(MapReader& in, std::string_view key, Named<T>& into, Problems& problems, NameOf&& name_of,
                Read&& read) {
  auto items = in.list(key);
  if (!items) return;
  into.emplace();
  for (std::size_t i = 0; i < items->size(); ++i) {
    const Tree& tree = (*items)[i];
    std::string name = name_of(tree);
    MapReader reader(tree,
                     fmt::format("{}{}{}[{}]", in.path(), in.path().empty() ? "" : ".", key,
                                 name.empty() ? std::to_string(i) : name),
                     problems);
    T item;
    read(reader, item);
    reader.finish();
    into->push_back(std::move(item));
  }
}

auto by(std::string_view key) {
  return [key](const Tree& tree) { return shown(tree, key); };
}
std::string by_permalink(const Tree& tree) {
  auto permalink = shown(tree, "permalink");
  return permalink.empty() ? shown(tree, "name") : permalink;
}
std::string by_type_and_name(const Tree& tree) { return shown(tree, "type") + " " + shown(tree, "name"); }
std::string by_name_and_domain(const Tree& tree) {
  auto domain = shown(tree, "domain");
  return shown(tree, "name") + (domain.empty() ? "" : "@" + domain);
}

void read_user(MapReader& in, Item<UserFields>& item) {
  read_common(in, item);
  auto& f = item.fields;
  in.value("email_address", f.email_address);
  in.value("first_name", f.first_name);
  in.value("last_name", f.last_name);
  in.value("password", f.password);
  in.value("password_digest", f.password_digest);
  in.value("admin", f.admin);
  in.value("time_zone", f.time_zone);
}

void read_ip_address(MapReader& in, Item<IpAddressFields>& item) {
  read_common(in, item);
  in.value("ipv4", item.fields.ipv4);
  in.value("ipv6", item.fields.ipv6);
  in.value("hostname", item.fields.hostname);
  in.value("priority", item.fields.priority);
}

void read_ip_pool(MapReader& in, IpPoolItem& item, Problems& problems) {
  read_common(in, item);
  in.value("name", item.fields.name);
  in.value("default", item.fields.is_default);
  read_items(in, "ip_addresses", item.ip_addresses, problems, by("ipv4"), read_ip_address);
}

void read_domain(MapReader& in, DomainItem& item) {
  read_common(in, item);
  auto& f = item.fields;
  in.value("name", f.name);
  in.value("verified", item.verified);
  in.value("outgoing", f.outgoing);
  in.value("incoming", f.incoming);
  in.value("use_for_any", f.use_for_any);
  in.value("verification_token", f.verification_token);
  in.value("verification_method", f.verification_method);
  in.value("dkim_identifier", f.dkim_identifier_string);
  in.value("dkim_private_key", f.dkim_private_key);
  in.ignore({"dkim_name", "dkim_value"});
}

void read_credential(MapReader& in, Item<CredentialFields>& item) {
  read_common(in, item);
  in.value("type", item.fields.type);
  in.value("name", item.fields.name);
  in.value("key", item.fields.key);
  in.value("hold", item.fields.hold);
}

void read_http_endpoint(MapReader& in, Item<HttpEndpointFields>& item) {
  read_common(in, item);
  auto& f = item.fields;
  in.value("name", f.name);
  in.value("url", f.url);
  in.value("encoding", f.encoding);
  in.value("format", f.format);
  in.value("strip_replies", f.strip_replies);
  in.value("include_attachments", f.include_attachments);
  in.value("timeout", f.timeout);
}

void read_smtp_endpoint(MapReader& in, Item<SmtpEndpointFields>& item) {
  read_common(in, item);
  in.value("name", item.fields.name);
  in.value("hostname", item.fields.hostname);
  in.value("port", item.fields.port);
  in.value("ssl_mode", item.fields.ssl_mode);
}

void read_address_endpoint(MapReader& in, Item<AddressEndpointFields>& item) {
  read_common(in, item);
  in.value("address", item.fields.address);
}

// `{http: hook}`
std::optional<EndpointName> read_endpoint_name(MapReader& in, std::string_view key, const Tree& tree) {
  auto map = tree.map();
  if (map && map->size() == 1) {
    const auto& kind = map->front().first;
    auto name = shown(tree, kind);
    if ((kind == "http" || kind == "smtp" || kind == "address") && !name.empty()) return EndpointName{kind, name};
  }
  in.wrong(tree, key, "must be {http: NAME}, {smtp: NAME} or {address: ADDRESS}");
  return std::nullopt;
}

void read_route(MapReader& in, RouteItem& item) {
  read_common(in, item);
  in.value("name", item.fields.name);
  in.value("domain", item.domain);
  in.value("mode", item.fields.mode);
  in.value("spam_mode", item.fields.spam_mode);
  in.value("token", item.fields.token);
  if (auto endpoint = in.find("endpoint"))
    if (auto name = read_endpoint_name(in, "endpoint", *endpoint)) item.endpoint = *name;
  auto additional = in.list("additional");
  if (!additional) return;
  item.additional.emplace();
  for (const auto& entry : *additional)
    if (auto name = read_endpoint_name(in, "additional", entry)) item.additional->push_back(*name);
}

void read_webhook(MapReader& in, Item<WebhookFields>& item) {
  read_common(in, item);
  auto& f = item.fields;
  in.value("name", f.name);
  in.value("url", f.url);
  in.value("all_events", f.all_events);
  in.value("events", f.events);
  in.value("sign", f.sign);
  in.value("enabled", f.enabled);
}

void read_track_domain(MapReader& in, TrackDomainItem& item) {
  read_common(in, item);
  auto& f = item.fields;
  in.value("name", f.name);
  in.value("domain", item.domain);
  in.value("track_clicks", f.track_clicks);
  in.value("track_loads", f.track_loads);
  in.value("ssl_enabled", f.ssl_enabled);
  in.value("excluded_click_domains", f.excluded_click_domains);
}

void read_suppression(MapReader& in, NewSuppression& item) {
  Field<std::string> reason;
  Field<Time> keep_until;
  in.value("address", item.address);
  in.value("reason", reason);
  in.value("keep_until", keep_until);
  in.ignore({"id"});
  item.reason = reason.maybe();
  item.keep_until = keep_until.maybe();
}

void read_settings(MapReader& in, ServerFields& f) {
  in.value("send_limit", f.send_limit);
  in.value("message_retention_days", f.message_retention_days);
  in.value("raw_message_retention_days", f.raw_message_retention_days);
  in.value("raw_message_retention_size", f.raw_message_retention_size);
  in.value("allow_sender", f.allow_sender);
  in.value("spam_threshold", f.spam_threshold);
  in.value("spam_failure_threshold", f.spam_failure_threshold);
  in.value("outbound_spam_threshold", f.outbound_spam_threshold);
  in.value("postmaster_address", f.postmaster_address);
  in.value("domains_not_to_click_track", f.domains_not_to_click_track);
  in.value("log_smtp_data", f.log_smtp_data);
  in.value("privacy_mode", f.privacy_mode);
  in.value("ip_pool_id", f.ip_pool_id);
}

void read_server(MapReader& in, ServerItem& item, Problems& problems) {
  read_common(in, item);
  in.value("permalink", item.fields.permalink);
  in.value("name", item.fields.name);
  in.value("mode", item.fields.mode);
  in.value("token", item.fields.token);
  in.value("suspended", item.suspended);
  in.value("ip_pool", item.ip_pool);
  if (auto settings = in.find("settings")) {
    MapReader inner(*settings, in.path() + ".settings", problems);
    read_settings(inner, item.fields);
    inner.finish();
  }
  read_items(in, "domains", item.domains, problems, by("name"), read_domain);
  read_items(in, "credentials", item.credentials, problems, by_type_and_name, read_credential);
  read_items(in, "http_endpoints", item.http_endpoints, problems, by("name"), read_http_endpoint);
  read_items(in, "smtp_endpoints", item.smtp_endpoints, problems, by("name"), read_smtp_endpoint);
  read_items(in, "address_endpoints", item.address_endpoints, problems, by("address"), read_address_endpoint);
  read_items(in, "routes", item.routes, problems, by_name_and_domain, read_route);
  read_items(in, "webhooks", item.webhooks, problems, by("name"), read_webhook);
  read_items(in, "track_domains", item.track_domains, problems, by_name_and_domain, read_track_domain);
  read_items(in, "suppressions", item.suppressions, problems, by("address"), read_suppression);
}

void read_organization(MapReader& in, OrganizationItem& item, Problems& problems) {
  read_common(in, item);
  Field<std::vector<std::string>> members, pools;
  in.value("permalink", item.fields.permalink);
  in.value("name", item.fields.name);
  in.value("time_zone", item.fields.time_zone);
  in.value("suspended", item.suspended);
  in.value("owner", item.owner);
  in.value("members", members);
  in.value("ip_pools", pools);
  item.members = members.maybe();
  item.ip_pools = pools.maybe();
  read_items(in, "domains", item.domains, problems, by("name"), read_domain);
  read_items(in, "servers", item.servers, problems, by_permalink,
             [&](MapReader& reader, ServerItem& server) { read_server(reader, server, problems); });
}

}  // namespace

Result<Document> read_document(std::string_view text) {
  auto tree = parse_tree(text);
  if (!tree) return std::unexpected(tree.error());
  Problems problems;
  MapReader in(*tree, "", problems);
  Document document;
  read_items(in, "users", document.users, problems, by("email_address"), read_user);
  read_items(in, "ip_pools", document.ip_pools, problems, by("name"),
             [&](MapReader& reader, IpPoolItem& pool) { read_ip_pool(reader, pool, problems); });
  read_items(in, "organizations", document.organizations, problems, by_permalink,
             [&](MapReader& reader, OrganizationItem& item) { read_organization(reader, item, problems); });
  in.finish();
  if (!problems.none()) return problems.refuse();
  return document;
}

}  // namespace posthaste::manage
