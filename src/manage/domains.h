// Domains of mail servers and organizations (data-model.md 4.5).
#pragma once

#include "manage/rows.h"

namespace posthaste::manage {

struct DomainFields {
  Field<std::string> name, verification_token, verification_method, dkim_private_key, dkim_identifier_string;
  Field<std::string> owner_type;  // Server, Organization
  Field<Id> owner_id;
  Field<Time> verified_at;
  Field<bool> outgoing, incoming, use_for_any;

  static constexpr std::string_view kTable = "domains";
  static constexpr auto columns() {
    using F = DomainFields;
    return std::tuple(
        Column{"name", &F::name}, Column{"verification_token", &F::verification_token},
        Column{"verification_method", &F::verification_method}, Column{"dkim_private_key", &F::dkim_private_key},
        Column{"dkim_identifier_string", &F::dkim_identifier_string}, Column{"owner_type", &F::owner_type},
        Column{"owner_id", &F::owner_id}, Column{"verified_at", &F::verified_at}, Column{"outgoing", &F::outgoing},
        Column{"incoming", &F::incoming}, Column{"use_for_any", &F::use_for_any});
  }
};
using Domain = Row<DomainFields>;

struct Owner {
  store::OwnerType type = store::OwnerType::Server;
  Id id = 0;
  std::string_view text() const { return type == store::OwnerType::Server ? "Server" : "Organization"; }
};

constexpr int kDkimBits = 2048;

// A domain as people type it, in the form that is stored: A-labels, lower case, no trailing dot. What cannot be
// converted stays as it is, for the rules to refuse.
std::string canonical_domain(std::string_view typed);

// Makes the DKIM key (unless the fields bring one), its selector and the verification token. Making a key takes up to
// half a second: pass one made before where the transaction should be short.
Result<Domain> create_domain(Work& work, Owner owner, DomainFields fields, std::string uuid = {});
Result<Domain> update_domain(Work& work, Id id, const DomainFields& fields);
// Verified now; a verified one stays as it was.
Result<Domain> verify_domain(Work& work, Id id);
// Its routes and tracking domains go, too.
Result<> delete_domain(Work& work, Id id);

std::optional<Domain> find_domain(Work& work, Owner owner, std::string_view name);
// Of any owner that is not deleted, by id.
std::vector<Domain> domains_named(Work& work, std::string_view name);
std::vector<Domain> domains_of(Work& work, Owner owner);
// Whether the mail server may use it: its own or its organization's.
bool domain_usable_by(Work& work, const DomainFields& domain, Id server_id);

}  // namespace posthaste::manage
