// Credentials of mail servers (data-model.md 4.4): SMTP passwords, API keys, networks that may send.
#pragma once

#include "manage/rows.h"

namespace posthaste::manage {

struct CredentialFields {
  Field<std::string> type, name, key;  // type: SMTP, API, SMTP-IP
  Field<Id> server_id;
  Field<bool> hold;

  static constexpr std::string_view kTable = "credentials";
  static constexpr auto columns() {
    using F = CredentialFields;
    return std::tuple(Column{"type", &F::type}, Column{"name", &F::name}, Column{"key", &F::key},
                      Column{"server_id", &F::server_id}, Column{"hold", &F::hold});
  }
};
using Credential = Row<CredentialFields>;

// SMTP and API: a key is drawn unless one is given. SMTP-IP: the key is an address or network.
Result<Credential> create_credential(Work& work, Id server_id, CredentialFields fields, std::string uuid = {});
// The key of SMTP and API stays for ever.
Result<Credential> update_credential(Work& work, Id id, const CredentialFields& fields);
Result<> delete_credential(Work& work, Id id);

std::optional<Credential> find_credential(Work& work, Id server_id, std::string_view type, std::string_view name);
std::vector<Credential> credentials_of(Work& work, Id server_id);

}  // namespace posthaste::manage
