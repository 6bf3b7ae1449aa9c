#include "manage/users.h"

#include "base/strings.h"
#include "manage/password.h"
#include "manage/problems.h"

namespace posthaste::manage {

namespace {

void validate(Work& work, const UserFields& user, Id id, Problems& problems) {
  check_present(problems, "First name", user.first_name);
  check_length(problems, "First name", user.first_name);
  check_present(problems, "Last name", user.last_name);
  check_length(problems, "Last name", user.last_name);
  check_present(problems, "Email address", user.email_address);
  check_length(problems, "Email address", user.email_address);
  check_length(problems, "Time zone", user.time_zone);
  if (is_blank(user.email_address)) return;
  if (!user.email_address->contains('@')) problems.add("Email address", kInvalid);
  if (work.exists("SELECT `id` FROM {main}`users` WHERE `email_address` = ? AND `id` <> ?", {*user.email_address, id}))
    problems.add("Email address", kTaken);
}

void digest_password(Work& work, UserFields& user) {
  if (user.password.has_value()) user.password_digest = work.trial ? "to be made" : hash_password(*user.password);
}

}  // namespace

Result<User> create_user(Work& work, UserFields fields, std::string uuid) {
  Problems problems;
  fields.time_zone.default_to("UTC");
  fields.admin.default_to(false);
  validate(work, fields, 0, problems);
  if (fields.password.has_value()) check_password(problems, *fields.password);
  // Somebody who cannot sign in yet is meant only where null was said.
  if (!fields.password.given() && is_blank(fields.password_digest)) problems.add("Password", kBlank);
  if (!problems.none()) return problems.refuse();
  digest_password(work, fields);
  return insert(work, std::move(fields), std::move(uuid));
}

Result<User> update_user(Work& work, Id id, const UserFields& fields) {
  auto user = find_by_id<UserFields>(work, id, "user");
  if (!user) return user;
  auto before = user->fields;
  overlay(user->fields, fields);

  auto problems = problems_of_update(before, user->fields,
                                     [&](const UserFields& f, Problems& found) { validate(work, f, id, found); });
  bool same_password =
      fields.password.has_value() && password_matches(*fields.password, before.password_digest.value_or(""));
  if (fields.password.has_value() && !same_password) check_password(problems, *fields.password);
  if (!problems.none()) return problems.refuse();
  if (!same_password) {
    user->fields.password = fields.password;
    digest_password(work, user->fields);
  }
  update(work, id, before, user->fields);
  return user;
}

Result<> delete_user(Work& work, Id id) {
  std::string owned;
  work.query("SELECT `permalink` FROM {main}`organizations` WHERE `owner_id` = ? AND `deleted_at` IS NULL", {id},
             [&](const sql::Row& row) { owned += (owned.empty() ? "" : ", ") + row.string(0); });
  if (!owned.empty())
    return fail(ErrorKind::Conflict, fmt::format("the user owns {}: give it another owner first", owned));
  work.run("DELETE FROM {main}`organization_users` WHERE `user_id` = ? AND `user_type` = 'User'", {id});
  work.run("DELETE FROM {main}`authie_sessions` WHERE `user_id` = ? AND `user_type` = 'User'", {id});
  if (work.run("DELETE FROM {main}`users` WHERE `id` = ?", {id}).affected == 0)
    return fail(ErrorKind::NotFound, fmt::format("there is no user with the id {}", id));
  return {};
}

std::optional<User> find_user(Work& work, std::string_view email_address) {
  return select_one<UserFields>(work, "`email_address` = ?", {trim(email_address)});
}

std::vector<User> all_users(Work& work) { return select<UserFields>(work, "1 = 1", {}); }

}  // namespace posthaste::manage
