// Organizations (data-model.md 4.1): they own mail servers and domains.
#pragma once

#include "manage/rows.h"

namespace posthaste::manage {

struct OrganizationFields {
  Field<std::string> name, permalink, time_zone, suspension_reason;
  Field<Id> owner_id;
  Field<Time> suspended_at, deleted_at;

  static constexpr std::string_view kTable = "organizations";
  static constexpr auto columns() {
    using F = OrganizationFields;
    return std::tuple(Column{"name", &F::name}, Column{"permalink", &F::permalink}, Column{"time_zone", &F::time_zone},
                      Column{"owner_id", &F::owner_id}, Column{"suspension_reason", &F::suspension_reason},
                      Column{"suspended_at", &F::suspended_at}, Column{"deleted_at", &F::deleted_at});
  }
};
using Organization = Row<OrganizationFields>;

// Without permalink: made from the name, with `-2`, `-3`, ... until it is free. Without owner: the first administrator.
// Gets the default IP pool, if there is one.
Result<Organization> create_organization(Work& work, OrganizationFields fields, std::string uuid = {});
Result<Organization> update_organization(Work& work, Id id, const OrganizationFields& fields);
// A reason suspends, nothing ends it.
Result<Organization> suspend_organization(Work& work, Id id, std::optional<std::string> reason);
// Marks it and it is gone for mail and people at once; rows and mail are removed later.
Result<> delete_organization(Work& work, Id id);

// By permalink, id or UUID; deleted ones only when asked for.
std::optional<Organization> find_organization(Work& work, std::string_view name, bool deleted_too = false);
std::vector<Organization> all_organizations(Work& work);

// The IP pools that its mail servers may use, by name.
std::vector<std::string> organization_pools(Work& work, Id id);
Result<bool> set_organization_pools(Work& work, Id id, const std::vector<std::string>& names);
// The users who are its members, by address.
std::vector<std::string> organization_members(Work& work, Id id);
Result<bool> set_organization_members(Work& work, Id id, const std::vector<std::string>& addresses);

}  // namespace posthaste::manage
