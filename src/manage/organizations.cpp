#include "manage/organizations.h"

#include <algorithm>

#include "base/strings.h"
#include "manage/permalink.h"
#include "manage/problems.h"

namespace posthaste::manage {

namespace {

bool permalink_taken(Work& work, std::string_view permalink, Id id) {
  return work.exists("SELECT `id` FROM {main}`organizations` WHERE `permalink` = ? AND `id` <> ?", {permalink, id});
}

std::string free_permalink(Work& work, std::string_view name) {
  auto base = permalink_of(name);
  if (base.empty()) base = "org-" + to_lower(random_alphanumeric(6));
  auto permalink = base;
  for (int n = 2; permalink_taken(work, permalink, 0); ++n) permalink = fmt::format("{}-{}", base, n);
  return permalink;
}

void validate(Work& work, const OrganizationFields& organization, Id id, Problems& problems) {
  check_present(problems, "Name", organization.name);
  check_length(problems, "Name", organization.name);
  check_present(problems, "Permalink", organization.permalink);
  check_length(problems, "Permalink", organization.permalink);
  check_letters(problems, "Permalink", organization.permalink, is_permalink_letter);
  check_reserved(problems, "Permalink", organization.permalink,
                 {"new", "edit", "remove", "delete", "destroy", "admin", "mail", "org", "server"});
  check_present(problems, "Time zone", organization.time_zone);
  check_length(problems, "Time zone", organization.time_zone);
  check_length(problems, "Suspension reason", organization.suspension_reason);
  if (!is_blank(organization.permalink) && permalink_taken(work, *organization.permalink, id))
    problems.add("Permalink", kTaken);
  if (organization.owner_id.has_value() &&
      !work.exists("SELECT `id` FROM {main}`users` WHERE `id` = ?", {*organization.owner_id}))
    problems.add("Owner", kMustExist);
}

void add_member(Work& work, Id organization_id, Id user_id, bool owner) {
  if (work.exists("SELECT `id` FROM {main}`organization_users` WHERE `organization_id` = ? AND `user_id` = ? AND "
                  "`user_type` = 'User'",
                  {organization_id, user_id}))
    return;
  work.run(
      "INSERT INTO {main}`organization_users` (`organization_id`, `user_id`, `user_type`, `admin`, `all_servers`, "
      "`created_at`) VALUES (?, ?, 'User', ?, 1, ?)",
      {organization_id, user_id, sql::flag(owner), sql::DateTime{work.now()}});
}

void add_pool(Work& work, Id organization_id, Id pool_id) {
  work.run(
      "INSERT INTO {main}`organization_ip_pools` (`organization_id`, `ip_pool_id`, `created_at`, `updated_at`) VALUES "
      "(?, ?, ?, ?)",
      {organization_id, pool_id, sql::DateTime{work.now()}, sql::DateTime{work.now()}});
}

// Ids of the rows that these names stand for; an error names the first unknown one.
Result<std::vector<Id>> ids_of(Work& work, std::string_view sql, const std::vector<std::string>& names,
                               std::string_view what) {
  std::vector<Id> ids;
  for (const auto& name : names) {
    auto id = work.id_of(sql, {name});
    if (!id) return fail(ErrorKind::Invalid, fmt::format("{} {} does not exist", what, name));
    if (std::ranges::find(ids, *id) == ids.end()) ids.push_back(*id);
  }
  return ids;
}

std::vector<Id> ids(Work& work, std::string_view sql, Id id) {
  std::vector<Id> found;
  work.query(sql, {id}, [&](const sql::Row& row) { found.push_back(row.integer(0)); });
  return found;
}

}  // namespace

Result<Organization> create_organization(Work& work, OrganizationFields fields, std::string uuid) {
  bool own_owner = fields.owner_id.has_value();
  if (!own_owner)
    if (auto admin = work.id_of("SELECT `id` FROM {main}`users` WHERE `admin` = 1 ORDER BY `id` LIMIT 1", {}))
      fields.owner_id = *admin;
  fields.time_zone.default_to("UTC");
  if (is_blank(fields.permalink) && !is_blank(fields.name)) fields.permalink = free_permalink(work, *fields.name);

  Problems problems;
  validate(work, fields, 0, problems);
  if (!problems.none()) return problems.refuse();
  auto organization = insert(work, std::move(fields), std::move(uuid));
  if (auto pool = work.id_of("SELECT `id` FROM {main}`ip_pools` WHERE `default` = 1 ORDER BY `id` LIMIT 1", {}))
    add_pool(work, organization.id, *pool);
  if (own_owner) add_member(work, organization.id, *organization.fields.owner_id, true);
  return organization;
}

Result<Organization> update_organization(Work& work, Id id, const OrganizationFields& fields) {
  auto organization = find_by_id<OrganizationFields>(work, id, "organization");
  if (!organization) return organization;
  auto before = organization->fields;
  overlay(organization->fields, fields);

  auto problems = problems_of_update(before, organization->fields, [&](const OrganizationFields& f, Problems& found) {
    validate(work, f, id, found);
  });
  if (!problems.none()) return problems.refuse();
  update(work, id, before, organization->fields);
  if (organization->fields.owner_id.has_value() && !before.owner_id.same(organization->fields.owner_id)) {
    add_member(work, id, *organization->fields.owner_id, true);
    work.run(
        "UPDATE {main}`organization_users` SET `admin` = 1, `all_servers` = 1 WHERE `organization_id` = ? AND "
        "`user_id` "
        "= ? AND `user_type` = 'User'",
        {id, *organization->fields.owner_id});
  }
  return organization;
}

Result<Organization> suspend_organization(Work& work, Id id, std::optional<std::string> reason) {
  OrganizationFields fields;
  fields.suspended_at = reason ? std::optional(work.now()) : std::nullopt;
  fields.suspension_reason = std::move(reason);
  return update_organization(work, id, fields);
}

Result<> delete_organization(Work& work, Id id) {
  OrganizationFields fields;
  fields.deleted_at = work.now();
  auto deleted = update_organization(work, id, fields);
  if (!deleted) return std::unexpected(deleted.error());
  return {};
}

std::optional<Organization> find_organization(Work& work, std::string_view name, bool deleted_too) {
  std::string_view alive = deleted_too ? "" : " AND `deleted_at` IS NULL";
  auto found = select_one<OrganizationFields>(work, fmt::format("`permalink` = ?{}", alive), {name});
  if (!found) found = select_one<OrganizationFields>(work, fmt::format("`uuid` = ?{}", alive), {name});
  auto id = parse_int(name);
  if (!found && id) found = select_one<OrganizationFields>(work, fmt::format("`id` = ?{}", alive), {*id});
  return found;
}

std::vector<Organization> all_organizations(Work& work) {
  return select<OrganizationFields>(work, "`deleted_at` IS NULL", {});
}

std::vector<std::string> organization_pools(Work& work, Id id) {
  std::vector<std::string> names;
  work.query(
      "SELECT p.`name` FROM {main}`organization_ip_pools` o JOIN {main}`ip_pools` p ON p.`id` = o.`ip_pool_id` WHERE "
      "o.`organization_id` = ? ORDER BY p.`id`",
      {id}, [&](const sql::Row& row) { names.push_back(row.string(0)); });
  return names;
}

Result<bool> set_organization_pools(Work& work, Id id, const std::vector<std::string>& names) {
  auto wanted = ids_of(work, "SELECT `id` FROM {main}`ip_pools` WHERE `name` = ? ORDER BY `id`", names, "IP pool");
  if (!wanted) return std::unexpected(wanted.error());
  auto present = ids(work, "SELECT `ip_pool_id` FROM {main}`organization_ip_pools` WHERE `organization_id` = ?", id);
  bool changed = false;
  for (Id pool : present) {
    if (std::ranges::find(*wanted, pool) != wanted->end()) continue;
    work.run("DELETE FROM {main}`organization_ip_pools` WHERE `organization_id` = ? AND `ip_pool_id` = ?", {id, pool});
    changed = true;
  }
  for (Id pool : *wanted) {
    if (std::ranges::find(present, pool) != present.end()) continue;
    add_pool(work, id, pool);
    changed = true;
  }
  return changed;
}

std::vector<std::string> organization_members(Work& work, Id id) {
  std::vector<std::string> addresses;
  work.query(
      "SELECT u.`email_address` FROM {main}`organization_users` o JOIN {main}`users` u ON u.`id` = o.`user_id` WHERE "
      "o.`organization_id` = ? AND o.`user_type` = 'User' ORDER BY u.`id`",
      {id}, [&](const sql::Row& row) { addresses.push_back(row.string(0)); });
  return addresses;
}

Result<bool> set_organization_members(Work& work, Id id, const std::vector<std::string>& addresses) {
  auto wanted = ids_of(work, "SELECT `id` FROM {main}`users` WHERE `email_address` = ?", addresses, "user");
  if (!wanted) return std::unexpected(wanted.error());
  auto present =
      ids(work, "SELECT `user_id` FROM {main}`organization_users` WHERE `organization_id` = ? AND `user_type` = 'User'",
          id);
  bool changed = false;
  for (Id user : present) {
    if (std::ranges::find(*wanted, user) != wanted->end()) continue;
    work.run(
        "DELETE FROM {main}`organization_users` WHERE `organization_id` = ? AND `user_id` = ? AND `user_type` = 'User'",
        {id, user});
    changed = true;
  }
  for (Id user : *wanted) {
    if (std::ranges::find(present, user) != present.end()) continue;
    add_member(work, id, user, false);
    changed = true;
  }
  return changed;
}

}  // namespace posthaste::manage
