// Users of the web interface and the management API (data-model.md 4.3, admin-and-config.md 5.1).
#pragma once

#include "manage/rows.h"

namespace posthaste::manage {

struct UserFields {
  Field<std::string> email_address, first_name, last_name, time_zone, password_digest;
  Field<bool> admin;
  Field<Time> email_verified_at;
  Field<std::string> password;  // written as a digest; never read back

  static constexpr std::string_view kTable = "users";
  static constexpr auto columns() {
    return std::tuple(Column{"email_address", &UserFields::email_address},
                      Column{"first_name", &UserFields::first_name}, Column{"last_name", &UserFields::last_name},
                      Column{"time_zone", &UserFields::time_zone},
                      Column{"password_digest", &UserFields::password_digest}, Column{"admin", &UserFields::admin},
                      Column{"email_verified_at", &UserFields::email_verified_at});
  }
};
using User = Row<UserFields>;

// A user whose password is null, and not just left out, cannot sign in until one is set. `uuid`: empty for a new one.
Result<User> create_user(Work& work, UserFields fields, std::string uuid = {});
// A password that matches already is not written again.
Result<User> update_user(Work& work, Id id, const UserFields& fields);
// The user's memberships go too. Refused while an organization has this user as its owner.
Result<> delete_user(Work& work, Id id);

std::optional<User> find_user(Work& work, std::string_view email_address);
std::vector<User> all_users(Work& work);

}  // namespace posthaste::manage
