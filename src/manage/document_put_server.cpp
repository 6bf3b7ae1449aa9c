// Mail servers of a document and what belongs to them.
#include "manage/document_put.h"
#include "manage/document_put_parts.h"

namespace posthaste::manage {

Result<Tree> Putter::domain(const DomainItem& item, Owner owner, std::string_view of) {
  auto name = item.fields.name.value_or("");
  auto found = find_domain(work_, owner, name);
  DomainItem wanted = item;
  bool verified = found && found->fields.verified_at.has_value();
  if (item.verified.given() && *item.verified != verified)
    wanted.fields.verified_at = *item.verified ? std::optional(work_.now()) : std::nullopt;
  auto domain = put(
      "domain", fmt::format("{} {}", of, name), wanted, found,
      [&](DomainFields fields) { return create_domain(work_, owner, std::move(fields), item.uuid); },
      [&](Id id, DomainFields fields) {
        fields.verification_token = {};
        fields.dkim_identifier_string = {};
        fields.dkim_private_key = {};
        return update_domain(work_, id, fields);
      });
  if (!domain) return std::unexpected(domain.error());
  return write_domain(work_, *domain, kAppliedOptions);
}

Result<Tree> Putter::credential(const Item<CredentialFields>& item) {
  const auto& f = item.fields;
  auto found = find_credential(work_, server_id_, f.type.value_or(""), f.name.value_or(""));
  auto credential = put(
      "credential", fmt::format("{} {} {}", server_path_, f.type.value_or(""), f.name.value_or("")), item, found,
      [&](CredentialFields fields) { return create_credential(work_, server_id_, std::move(fields), item.uuid); },
      [&](Id id, CredentialFields fields) {
        if (is_blank(fields.key)) fields.key = {};
        return update_credential(work_, id, fields);
      });
  if (!credential) return std::unexpected(credential.error());
  return write_credential(*credential, kAppliedOptions);
}

template <class Fields>
Result<Tree> Putter::endpoint(const Item<Fields>& item) {
  auto key = (item.fields.*Fields::key().member).value_or("");
  auto endpoint = put(
      Fields::kText, fmt::format("{} {}", server_path_, key), item, find_endpoint<Fields>(work_, server_id_, key),
      [&](Fields fields) { return create_endpoint(work_, server_id_, std::move(fields), item.uuid); },
      [&](Id id, const Fields& fields) { return update_endpoint(work_, id, fields); });
  if (!endpoint) return std::unexpected(endpoint.error());
  return write_endpoint(*endpoint, kAppliedOptions);
}

std::optional<Domain> Putter::usable_domain(std::string_view name) {
  auto domain = find_domain(work_, {store::OwnerType::Server, server_id_}, name);
  return domain ? domain : find_domain(work_, {store::OwnerType::Organization, organization_id_}, name);
}

Result<EndpointRef> Putter::endpoint_ref(const EndpointName& name) {
  auto found = [&]<class Fields>() -> Result<EndpointRef> {
    auto endpoint = find_endpoint<Fields>(work_, server_id_, name.name);
    if (!endpoint) return fail(ErrorKind::Invalid, fmt::format("{} {} does not exist", Fields::kText, name.name));
    return EndpointRef{std::string(Fields::kType), endpoint->id};
  };
  if (name.kind == "http") return found.operator()<HttpEndpointFields>();
  if (name.kind == "smtp") return found.operator()<SmtpEndpointFields>();
  return found.operator()<AddressEndpointFields>();
}

Result<Tree> Putter::route(const RouteItem& item) {
  auto where = [&](const Error& error) { return std::unexpected(located(error, item.path, item.line)); };
  RouteItem wanted = item;
  std::optional<Id> domain_id;
  if (!is_blank(item.domain)) {
    auto domain = usable_domain(*item.domain);
    if (!domain) return where({ErrorKind::Invalid, fmt::format("Domain {} does not exist", *item.domain), ""});
    wanted.fields.domain_id = domain_id = domain->id;
  }
  if (item.endpoint.has_value()) {
    auto endpoint = endpoint_ref(*item.endpoint);
    if (!endpoint) return where(endpoint.error());
    wanted.fields.endpoint_type = endpoint->type;
    wanted.fields.endpoint_id = endpoint->id;
    wanted.fields.mode.default_to("Endpoint");
  }
  if (item.additional) {
    std::vector<EndpointRef> additional;
    for (const auto& name : *item.additional) {
      auto endpoint = endpoint_ref(name);
      if (!endpoint) return where(endpoint.error());
      additional.push_back(*endpoint);
    }
    wanted.fields.additional = std::move(additional);
  }
  auto name = item.fields.name.value_or("");
  auto route = put(
      "route", fmt::format("{} {}@{}", server_path_, name, item.domain.value_or("")), wanted,
      find_route(work_, server_id_, name, domain_id),
      [&](RouteFields fields) { return create_route(work_, server_id_, std::move(fields), item.uuid); },
      [&](Id id, RouteFields fields) {
        fields.token = {};
        return update_route(work_, id, fields);
      });
  if (!route) return std::unexpected(route.error());
  return write_route(work_, *route, kAppliedOptions);
}

Result<Tree> Putter::webhook(const Item<WebhookFields>& item) {
  auto name = item.fields.name.value_or("");
  auto webhook = put(
      "webhook", fmt::format("{} {}", server_path_, name), item, find_webhook(work_, server_id_, name),
      [&](WebhookFields fields) { return create_webhook(work_, server_id_, std::move(fields), item.uuid); },
      [&](Id id, const WebhookFields& fields) { return update_webhook(work_, id, fields); });
  if (!webhook) return std::unexpected(webhook.error());
  return write_webhook(*webhook, kAppliedOptions);
}

Result<Tree> Putter::track_domain(const TrackDomainItem& item) {
  TrackDomainItem wanted = item;
  auto name = item.fields.name.value_or("");
  auto domain = usable_domain(item.domain.value_or(""));
  if (!domain)
    return std::unexpected(
        located({ErrorKind::Invalid, fmt::format("Domain {} does not exist", item.domain.value_or("")), ""}, item.path,
                item.line));
  wanted.fields.domain_id = domain->id;
  auto found = select_one<TrackDomainFields>(work_, "`server_id` = ? AND `name` = ? AND `domain_id` = ?",
                                             {server_id_, name, domain->id});
  auto track = put(
      "tracking domain", fmt::format("{} {}.{}", server_path_, name, item.domain.value_or("")), wanted, found,
      [&](TrackDomainFields fields) { return create_track_domain(work_, server_id_, std::move(fields), item.uuid); },
      [&](Id id, const TrackDomainFields& fields) { return update_track_domain(work_, id, fields); });
  if (!track) return std::unexpected(track.error());
  if (!found) new_track_domains.push_back(track->id);
  return write_track_domain(work_, *track, kAppliedOptions);
}

Result<> Putter::server_lists(const ServerItem& item, Tree& out) {
  Owner owner{store::OwnerType::Server, server_id_};
  Result<> done =
      put_list(item.domains, "domains", out, [&](const auto& entry) { return domain(entry, owner, server_path_); });
  if (done) done = put_list(item.credentials, "credentials", out, [&](const auto& entry) { return credential(entry); });
  if (done)
    done = put_list(item.http_endpoints, "http_endpoints", out, [&](const auto& entry) { return endpoint(entry); });
  if (done)
    done = put_list(item.smtp_endpoints, "smtp_endpoints", out, [&](const auto& entry) { return endpoint(entry); });
  if (done)
    done =
        put_list(item.address_endpoints, "address_endpoints", out, [&](const auto& entry) { return endpoint(entry); });
  if (done) done = put_list(item.routes, "routes", out, [&](const auto& entry) { return route(entry); });
  if (done) done = put_list(item.webhooks, "webhooks", out, [&](const auto& entry) { return webhook(entry); });
  if (done)
    done = put_list(item.track_domains, "track_domains", out, [&](const auto& entry) { return track_domain(entry); });
  if (done) done = remove_other_rows(item, out);
  return done;
}

Result<> Putter::remove_other_rows(const ServerItem&, const Tree& put) {
  auto named = [&](const auto& field) { return fmt::format("{} {}", server_path_, field.value_or("")); };
  auto by_name = [&](const auto& row) { return named(row.fields.name); };
  // What points at other rows goes before them.
  Result<> done = remove_rows(put, "routes", "route", routes_of(work_, server_id_), by_name,
                              [&](Id id) { return delete_route(work_, id); });
  if (done)
    done = remove_rows(put, "track_domains", "tracking domain", track_domains_of(work_, server_id_), by_name,
                       [&](Id id) { return delete_track_domain(work_, id); });
  if (done)
    done = remove_rows(put, "http_endpoints", HttpEndpointFields::kText,
                       endpoints_of<HttpEndpointFields>(work_, server_id_), by_name,
                       [&](Id id) { return delete_endpoint<HttpEndpointFields>(work_, id); });
  if (done)
    done = remove_rows(put, "smtp_endpoints", SmtpEndpointFields::kText,
                       endpoints_of<SmtpEndpointFields>(work_, server_id_), by_name,
                       [&](Id id) { return delete_endpoint<SmtpEndpointFields>(work_, id); });
  if (done)
    done = remove_rows(
        put, "address_endpoints", AddressEndpointFields::kText, endpoints_of<AddressEndpointFields>(work_, server_id_),
        [&](const auto& row) { return named(row.fields.address); },
        [&](Id id) { return delete_endpoint<AddressEndpointFields>(work_, id); });
  if (done)
    done = remove_rows(put, "webhooks", "webhook", webhooks_of(work_, server_id_), by_name,
                       [&](Id id) { return delete_webhook(work_, id); });
  if (done)
    done = remove_rows(put, "credentials", "credential", credentials_of(work_, server_id_), by_name,
                       [&](Id id) { return delete_credential(work_, id); });
  if (done)
    done = remove_rows(put, "domains", "domain", domains_of(work_, {store::OwnerType::Server, server_id_}), by_name,
                       [&](Id id) { return delete_domain(work_, id); });
  return done;
}

Result<Tree> Putter::server(const ServerItem& item, std::string_view organization, Id organization_id) {
  const auto& f = item.fields;
  auto found = is_blank(f.permalink)
                   ? select_one<ServerFields>(work_, "`organization_id` = ? AND `name` = ? AND `deleted_at` IS NULL",
                                              {organization_id, f.name.value_or("")})
                   : find_server(work_, organization_id, *f.permalink, true);
  ServerItem wanted = item;
  if (!is_blank(item.ip_pool)) {
    auto pool = find_ip_pool(work_, *item.ip_pool);
    if (!pool)
      return std::unexpected(located({ErrorKind::Invalid, fmt::format("IP pool {} does not exist", *item.ip_pool), ""},
                                     item.path, item.line));
    wanted.fields.ip_pool_id = pool->id;
  } else if (item.ip_pool.given()) {
    wanted.fields.ip_pool_id = std::nullopt;
  }
  put_suspension(wanted, found, work_.now());
  bool deleted = found && found->fields.deleted_at.has_value();
  wanted.fields.deleted_at = std::nullopt;
  auto path = fmt::format("{}/{}", organization, f.permalink.value_or(f.name.value_or("")));
  auto server = put(
      "server", path, wanted, found,
      [&](ServerFields fields) { return create_server(work_, organization_id, std::move(fields), item.uuid); },
      [&](Id id, ServerFields fields) {
        fields.token = {};
        return update_server(work_, id, fields);
      });
  if (!server) return std::unexpected(server.error());
  if (deleted) note("restore", "server", path);

  last_id = server_id_ = server->id;
  organization_id_ = organization_id;
  server_path_ = fmt::format("{}/{}", organization, server->fields.permalink.value_or(""));
  Tree out = write_server(work_, *server, kAppliedOptions);
  if (auto done = server_lists(item, out); !done) return std::unexpected(done.error());
  return out;
}

}  // namespace posthaste::manage
