#include "manage/domains.h"

#include <algorithm>

#include "base/strings.h"
#include "manage/problems.h"
#include "manage/routes.h"
#include "manage/track_domains.h"
#include "trust/dkim.h"

namespace posthaste::manage {

namespace {

void validate(Work& work, const DomainFields& domain, Id id, Problems& problems) {
  check_present(problems, "Name", domain.name);
  check_length(problems, "Name", domain.name);
  check_letters(problems, "Name", domain.name, is_host_letter);
  check_included(problems, "Verification method", domain.verification_method, {"DNS", "Email"});
  if (!is_blank(domain.name) &&
      work.exists("SELECT `id` FROM {main}`domains` WHERE `owner_type` = ? AND `owner_id` = ? AND `name` = ? AND `id` "
                  "<> ?",
                  {domain.owner_type.value_or(""), domain.owner_id.value_or(0), *domain.name, id}))
    problems.add("Name", "is already added");
  if (domain.dkim_private_key.has_value())
    if (auto key = trust::SigningKey::from_pem(*domain.dkim_private_key); !key) problems.add("DKIM key", kInvalid);
  if (domain.dkim_identifier_string.has_value() &&
      !std::ranges::all_of(*domain.dkim_identifier_string, [](char c) { return is_host_letter(ascii_lower(c)); }))
    problems.add("DKIM identifier string", kInvalid);
}

// What proves ownership: the text of a TXT record, or a code that is sent to the domain's postmaster.
std::string new_token(std::string_view method) {
  return method == "Email" ? fmt::format("{:06}", random_below(1'000'000)) : random_alphanumeric(32);
}

void apply_defaults(Work& work, DomainFields& domain) {
  domain.verification_method.default_to("DNS");
  domain.outgoing.default_to(true);
  domain.incoming.default_to(true);
  domain.use_for_any.default_to(false);
  domain.verification_token.default_to(new_token(domain.verification_method.value_or("")));
  if (!is_blank(domain.dkim_identifier_string)) return;
  domain.dkim_identifier_string =
      unique_random(work, "domains", "dkim_identifier_string", [] { return random_identifier(6); });
}

void give_key(Work& work, DomainFields& domain) {
  if (work.trial) {
    ++work.dkim_keys_wanted;
  } else if (work.dkim_keys.empty()) {
    domain.dkim_private_key = trust::SigningKey::generate_rsa_pem(kDkimBits);
  } else {
    domain.dkim_private_key = std::move(work.dkim_keys.back());
    work.dkim_keys.pop_back();
  }
}

}  // namespace

std::string canonical_domain(std::string_view typed) {
  auto trimmed = trim(typed);
  auto ascii = to_ascii_domain(trimmed);
  return to_lower(ascii ? *ascii : std::string(trimmed));
}

Result<Domain> create_domain(Work& work, Owner owner, DomainFields fields, std::string uuid) {
  fields.owner_type = std::string(owner.text());
  fields.owner_id = owner.id;
  apply_defaults(work, fields);
  Problems problems;
  validate(work, fields, 0, problems);
  if (!problems.none()) return problems.refuse();
  if (!fields.dkim_private_key.has_value()) give_key(work, fields);
  return insert(work, std::move(fields), std::move(uuid));
}

Result<Domain> update_domain(Work& work, Id id, const DomainFields& fields) {
  DomainFields wanted = fields;
  const auto domain = find_by_id<DomainFields>(work, id, "domain");
  const bool other_method = domain && fields.verification_method.has_value() &&
                            !fields.verification_method.same(domain->fields.verification_method);
  if (other_method && !fields.verification_token.has_value())
    wanted.verification_token = new_token(*fields.verification_method);
  return change(work, id, "domain", wanted,
                [&](const DomainFields& f, Problems& found) { validate(work, f, id, found); });
}

Result<Domain> verify_domain(Work& work, Id id) {
  auto domain = find_by_id<DomainFields>(work, id, "domain");
  if (!domain || domain->fields.verified_at.has_value()) return domain;
  DomainFields fields;
  fields.verified_at = work.now();
  return update_domain(work, id, fields);
}

Result<> delete_domain(Work& work, Id id) {
  delete_routes_of_domain(work, id);
  work.run("DELETE FROM {main}`track_domains` WHERE `domain_id` = ?", {id});
  if (work.run("DELETE FROM {main}`domains` WHERE `id` = ?", {id}).affected == 0)
    return fail(ErrorKind::NotFound, fmt::format("there is no domain with the id {}", id));
  return {};
}

std::optional<Domain> find_domain(Work& work, Owner owner, std::string_view name) {
  return select_one<DomainFields>(work, "`owner_type` = ? AND `owner_id` = ? AND `name` = ?",
                                  {owner.text(), owner.id, name});
}

std::vector<Domain> domains_named(Work& work, std::string_view name) {
  return select<DomainFields>(
      work,
      "`name` = ? AND ((`owner_type` = 'Organization' AND `owner_id` IN (SELECT `id` FROM {main}`organizations` WHERE "
      "`deleted_at` IS NULL)) OR (`owner_type` = 'Server' AND `owner_id` IN (SELECT s.`id` FROM {main}`servers` s JOIN "
      "{main}`organizations` o ON o.`id` = s.`organization_id` WHERE s.`deleted_at` IS NULL AND o.`deleted_at` IS "
      "NULL)))",
      {name});
}

std::vector<Domain> domains_of(Work& work, Owner owner) {
  return select<DomainFields>(work, "`owner_type` = ? AND `owner_id` = ?", {owner.text(), owner.id});
}

bool domain_usable_by(Work& work, const DomainFields& domain, Id server_id) {
  if (domain.owner_type.value_or("") == "Server") return domain.owner_id.value_or(0) == server_id;
  if (domain.owner_type.value_or("") != "Organization") return false;
  return work.exists("SELECT `id` FROM {main}`servers` WHERE `id` = ? AND `organization_id` = ?",
                     {server_id, domain.owner_id.value_or(0)});
}

}  // namespace posthaste::manage
