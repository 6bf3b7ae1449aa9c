#include "manage/credentials.h"

#include "base/network.h"
#include "manage/problems.h"

namespace posthaste::manage {

namespace {

bool is_network(const CredentialFields& credential) { return credential.type.value_or("") == "SMTP-IP"; }

bool key_taken(Work& work, const std::string& key, Id id) {
  // Keys that differ only in case would be the same for Postal.
  return work.exists(fmt::format("SELECT `id` FROM {{main}}`credentials` WHERE `key` = ?{} AND `id` <> ?",
                                 work.sqlite() ? " COLLATE NOCASE" : ""),
                     {key, id});
}

void validate(Work& work, const CredentialFields& credential, Id id, Problems& problems) {
  if (!work.exists("SELECT `id` FROM {main}`servers` WHERE `id` = ?", {credential.server_id.value_or(0)}))
    problems.add("Server", kMustExist);
  check_included(problems, "Type", credential.type, {"SMTP", "API", "SMTP-IP"});
  check_present(problems, "Name", credential.name);
  check_length(problems, "Name", credential.name);
  check_present(problems, "Key", credential.key);
  check_length(problems, "Key", credential.key);
  if (is_blank(credential.key)) return;
  if (is_network(credential) && !IpNetwork::parse(*credential.key))
    problems.add("Key", "must be a valid IPv4 or IPv6 address");
  if (key_taken(work, *credential.key, id)) problems.add("Key", kTaken);
}

}  // namespace

Result<Credential> create_credential(Work& work, Id server_id, CredentialFields fields, std::string uuid) {
  fields.server_id = server_id;
  fields.hold.default_to(false);
  if (is_blank(fields.key) && !is_network(fields))
    fields.key = unique_random(work, "credentials", "key", [] { return random_alphanumeric(24); });
  Problems problems;
  validate(work, fields, 0, problems);
  if (!problems.none()) return problems.refuse();
  return insert(work, std::move(fields), std::move(uuid));
}

Result<Credential> update_credential(Work& work, Id id, const CredentialFields& fields) {
  auto credential = find_by_id<CredentialFields>(work, id, "credential");
  if (!credential) return credential;
  auto before = credential->fields;
  overlay(credential->fields, fields);

  auto problems = problems_of_update(before, credential->fields,
                                     [&](const CredentialFields& f, Problems& found) { validate(work, f, id, found); });
  if (!is_network(before) && !before.key.same(credential->fields.key)) problems.add("Key", "cannot be changed");
  if (!before.type.same(credential->fields.type)) problems.add("Type", "cannot be changed");
  if (!problems.none()) return problems.refuse();
  update(work, id, before, credential->fields);
  return credential;
}

Result<> delete_credential(Work& work, Id id) {
  if (work.run("DELETE FROM {main}`credentials` WHERE `id` = ?", {id}).affected == 0)
    return fail(ErrorKind::NotFound, fmt::format("there is no credential with the id {}", id));
  return {};
}

std::optional<Credential> find_credential(Work& work, Id server_id, std::string_view type, std::string_view name) {
  return select_one<CredentialFields>(work, "`server_id` = ? AND `type` = ? AND `name` = ?", {server_id, type, name});
}

std::vector<Credential> credentials_of(Work& work, Id server_id) {
  return select<CredentialFields>(work, "`server_id` = ?", {server_id});
}

}  // namespace posthaste::manage
