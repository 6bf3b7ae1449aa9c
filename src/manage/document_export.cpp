#include "manage/document.h"
#include "manage/document_write.h"

namespace posthaste::manage {

namespace {

// Sets the list unless it is empty.
void set_list(Tree& out, std::string key, const auto& rows, auto&& write) {
  Tree::List list;
  for (const auto& row : rows) list.push_back(write(row));
  if (!list.empty()) out.set(std::move(key), Tree(std::move(list)));
}

Tree export_server(Work& work, const Server& server, const WriteOptions& options) {
  Id id = server.id;
  Tree out = write_server(work, server, options);
  auto endpoint = [&](const auto& row) { return write_endpoint(row, options); };
  set_list(out, "domains", domains_of(work, {store::OwnerType::Server, id}),
           [&](const auto& row) { return write_domain(work, row, options); });
  set_list(out, "credentials", credentials_of(work, id),
           [&](const auto& row) { return write_credential(row, options); });
  set_list(out, "http_endpoints", endpoints_of<HttpEndpointFields>(work, id), endpoint);
  set_list(out, "smtp_endpoints", endpoints_of<SmtpEndpointFields>(work, id), endpoint);
  set_list(out, "address_endpoints", endpoints_of<AddressEndpointFields>(work, id), endpoint);
  set_list(out, "routes", routes_of(work, id), [&](const auto& row) { return write_route(work, row, options); });
  set_list(out, "webhooks", webhooks_of(work, id), [&](const auto& row) { return write_webhook(row, options); });
  set_list(out, "track_domains", track_domains_of(work, id),
           [&](const auto& row) { return write_track_domain(work, row, options); });
  return out;
}

struct ExportedOrganization {
  Tree tree;
  std::vector<std::pair<Id, Tree>> servers;
};

ExportedOrganization export_organization(Work& work, const Organization& organization, const WriteOptions& options) {
  ExportedOrganization out{write_organization(work, organization, options), {}};
  set_list(out.tree, "domains", domains_of(work, {store::OwnerType::Organization, organization.id}),
           [&](const auto& row) { return write_domain(work, row, options); });
  for (const auto& server : servers_of(work, organization.id))
    out.servers.emplace_back(server.id, export_server(work, server, options));
  return out;
}

void export_common(Work& work, Tree& out, const WriteOptions& options) {
  set_list(out, "users", all_users(work), [&](const auto& row) { return write_user(row, options); });
  set_list(out, "ip_pools", all_ip_pools(work), [&](const IpPool& pool) {
    Tree tree = write_ip_pool(pool, options);
    set_list(tree, "ip_addresses", ip_addresses_of(work, pool.id),
             [&](const auto& row) { return write_ip_address(row, options); });
    return tree;
  });
}

}  // namespace

Result<Tree> export_document(const Context& context, const ExportOptions& options) {
  WriteOptions write{.ids = false, .keys = options.with_secrets, .secrets = options.with_secrets};
  Tree out{Tree::Map()};
  bool found = true;
  auto organizations = in_read(context, [&](Work& work) {
    std::vector<ExportedOrganization> list;
    if (!options.organization.empty()) {
      auto one = find_organization(work, options.organization);
      found = one.has_value();
      if (one) list.push_back(export_organization(work, *one, write));
      return list;
    }
    export_common(work, out, write);
    for (const auto& organization : all_organizations(work))
      list.push_back(export_organization(work, organization, write));
    return list;
  });
  if (!found) return fail(ErrorKind::NotFound, fmt::format("there is no organization {}", options.organization));

  Tree::List list;
  for (auto& organization : organizations) {
    Tree::List servers;
    for (auto& [id, server] : organization.servers) {
      set_list(server, "suppressions", suppressions_of(context, id),
               [](const auto& entry) { return write_suppression(entry); });
      servers.push_back(std::move(server));
    }
    if (!servers.empty()) organization.tree.set("servers", Tree(std::move(servers)));
    list.push_back(std::move(organization.tree));
  }
  if (!list.empty()) out.set("organizations", Tree(std::move(list)));
  return out;
}

}  // namespace posthaste::manage
