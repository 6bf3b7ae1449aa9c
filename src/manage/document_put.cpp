// Users, IP pools, organizations; what is pruned of them. Mail servers: document_put_server.cpp.
#include "manage/document_put.h"

#include <algorithm>

#include "manage/document_put_parts.h"

namespace posthaste::manage {

namespace {

bool names_user(const Document& document, const User& user) {
  return std::ranges::any_of(*document.users, [&](const auto& item) {
    return iequals(item.fields.email_address.value_or(""), user.fields.email_address.value_or(""));
  });
}

// Whether the item stands for this organization or server.
bool is_same(const auto& item, const auto& row) {
  const auto& permalink = item.fields.permalink;
  return is_blank(permalink) ? iequals(item.fields.name.value_or(""), row.fields.name.value_or(""))
                             : iequals(*permalink, row.fields.permalink.value_or(""));
}

std::optional<Organization> stored(Work& work, const OrganizationItem& item) {
  if (is_blank(item.fields.permalink))
    return select_one<OrganizationFields>(work, "`name` = ? AND `deleted_at` IS NULL", {item.fields.name.value_or("")});
  return select_one<OrganizationFields>(work, "`permalink` = ?", {*item.fields.permalink});
}

}  // namespace

Result<Tree> Putter::user(const Item<UserFields>& item) {
  auto email = item.fields.email_address.value_or("");
  auto user = put(
      "user", email, item, find_user(work_, email),
      [&](UserFields fields) {
        fields.email_verified_at = work_.now();
        return create_user(work_, std::move(fields), item.uuid);
      },
      [&](Id id, UserFields fields) {
        fields.password_digest = {};
        return update_user(work_, id, fields);
      });
  if (!user) return std::unexpected(user.error());
  return write_user(*user, kAppliedOptions);
}

Result<Tree> Putter::ip_pool(const IpPoolItem& item) {
  auto name = item.fields.name.value_or("");
  auto pool = put(
      "IP pool", name, item, find_ip_pool(work_, name),
      [&](IpPoolFields fields) { return create_ip_pool(work_, std::move(fields), item.uuid); },
      [&](Id id, const IpPoolFields& fields) { return update_ip_pool(work_, id, fields); });
  if (!pool) return std::unexpected(pool.error());
  Tree out = write_ip_pool(*pool, kAppliedOptions);
  auto done = put_list(item.ip_addresses, "ip_addresses", out,
                       [&](const auto& address) { return ip_address(address, pool->id, name); });
  if (!done) return std::unexpected(done.error());
  auto removed = remove_rows(
      out, "ip_addresses", "IP address", ip_addresses_of(work_, pool->id),
      [&](const auto& row) { return fmt::format("{} {}", name, row.fields.ipv4.value_or("")); },
      [&](Id id) { return delete_ip_address(work_, id); });
  if (!removed) return std::unexpected(removed.error());
  return out;
}

Result<Tree> Putter::ip_address(const Item<IpAddressFields>& item, Id pool_id, std::string_view pool) {
  auto ipv4 = item.fields.ipv4.value_or("");
  auto address = put(
      "IP address", fmt::format("{} {}", pool, ipv4), item, find_ip_address(work_, ipv4),
      [&](IpAddressFields fields) { return create_ip_address(work_, pool_id, std::move(fields)); },
      [&](Id id, IpAddressFields fields) {
        fields.ip_pool_id = pool_id;
        return update_ip_address(work_, id, fields);
      });
  if (!address) return std::unexpected(address.error());
  return write_ip_address(*address, kAppliedOptions);
}

Result<Tree> Putter::organization(const OrganizationItem& item) {
  auto found = stored(work_, item);
  auto where = [&](const Error& error) { return std::unexpected(located(error, item.path, item.line)); };
  OrganizationItem wanted = item;
  if (item.owner.has_value()) {
    auto owner = find_user(work_, *item.owner);
    if (!owner) return where({ErrorKind::Invalid, fmt::format("Owner {} does not exist", *item.owner), ""});
    wanted.fields.owner_id = owner->id;
  }
  put_suspension(wanted, found, work_.now());
  bool deleted = found && found->fields.deleted_at.has_value();
  wanted.fields.deleted_at = std::nullopt;
  auto name = item.fields.permalink.value_or(item.fields.name.value_or(""));
  auto row = put(
      "organization", name, wanted, found,
      [&](OrganizationFields fields) { return create_organization(work_, std::move(fields), item.uuid); },
      [&](Id id, const OrganizationFields& fields) { return update_organization(work_, id, fields); });
  if (!row) return std::unexpected(row.error());
  if (deleted) note("restore", "organization", name);

  if (item.members) {
    auto changed = set_organization_members(work_, row->id, *item.members);
    if (!changed) return where(changed.error());
    if (*changed) note("update", "organization", name, {"members"});
  }
  if (item.ip_pools) {
    auto changed = set_organization_pools(work_, row->id, *item.ip_pools);
    if (!changed) return where(changed.error());
    if (*changed) note("update", "organization", name, {"ip_pools"});
  }
  last_id = row->id;
  Tree out = write_organization(work_, *row, kAppliedOptions);
  Owner owner{store::OwnerType::Organization, row->id};
  auto permalink = row->fields.permalink.value_or("");
  auto done =
      put_list(item.domains, "domains", out, [&](const auto& entry) { return domain(entry, owner, permalink); });
  if (!done) return std::unexpected(done.error());
  auto removed = remove_rows(
      out, "domains", "domain", domains_of(work_, owner),
      [&](const auto& entry) { return fmt::format("{} {}", permalink, entry.fields.name.value_or("")); },
      [&](Id id) { return delete_domain(work_, id); });
  if (!removed) return std::unexpected(removed.error());
  return out;
}

Result<> Putter::remove_other_servers(const OrganizationItem& item) {
  auto organization = stored(work_, item);
  if (!organization || !item.servers) return {};
  for (const auto& server : servers_of(work_, organization->id)) {
    if (std::ranges::any_of(*item.servers, [&](const auto& named) { return is_same(named, server); })) continue;
    if (auto removed = delete_server(work_, server.id); !removed) return removed;
    note("remove", "server",
         fmt::format("{}/{}", organization->fields.permalink.value_or(""), server.fields.permalink.value_or("")));
  }
  return {};
}

Result<> Putter::remove_others(const Document& document) {
  if (document.organizations) {
    for (const auto& organization : all_organizations(work_)) {
      auto named =
          std::ranges::find_if(*document.organizations, [&](const auto& item) { return is_same(item, organization); });
      if (named != document.organizations->end()) {
        if (auto removed = remove_other_servers(*named); !removed) return removed;
        continue;
      }
      if (auto removed = delete_organization(work_, organization.id); !removed) return removed;
      note("remove", "organization", organization.fields.permalink.value_or(""));
    }
  }
  if (document.ip_pools) {
    for (const auto& pool : all_ip_pools(work_)) {
      if (std::ranges::any_of(*document.ip_pools, [&](const auto& item) {
            return iequals(item.fields.name.value_or(""), pool.fields.name.value_or(""));
          }))
        continue;
      for (const auto& address : ip_addresses_of(work_, pool.id))
        if (auto removed = delete_ip_address(work_, address.id); !removed) return removed;
      if (auto removed = delete_ip_pool(work_, pool.id); !removed) return removed;
      note("remove", "IP pool", pool.fields.name.value_or(""));
    }
  }
  if (!document.users) return {};
  for (const auto& user : all_users(work_)) {
    if (names_user(document, user)) continue;
    if (auto removed = delete_user(work_, user.id); !removed) return removed;
    note("remove", "user", user.fields.email_address.value_or(""));
  }
  return {};
}

}  // namespace posthaste::manage
