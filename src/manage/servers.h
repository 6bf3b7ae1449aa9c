// Mail servers (data-model.md 4.2): tenants of an organization, each with a message database of its own.
#pragma once

#include "manage/rows.h"

namespace posthaste::manage {

struct ServerFields {
  Field<std::string> name, permalink, mode, token, postmaster_address, domains_not_to_click_track, suspension_reason;
  Field<Id> organization_id, ip_pool_id;
  Field<std::int64_t> send_limit, message_retention_days, raw_message_retention_days, raw_message_retention_size;
  Field<double> spam_threshold, spam_failure_threshold, outbound_spam_threshold;
  Field<bool> allow_sender, log_smtp_data, privacy_mode;
  Field<Time> suspended_at, deleted_at;

  static constexpr std::string_view kTable = "servers";
  static constexpr auto columns() {
    using F = ServerFields;
    return std::tuple(
        Column{"name", &F::name}, Column{"permalink", &F::permalink}, Column{"mode", &F::mode},
        Column{"token", &F::token}, Column{"organization_id", &F::organization_id},
        Column{"ip_pool_id", &F::ip_pool_id}, Column{"postmaster_address", &F::postmaster_address},
        Column{"domains_not_to_click_track", &F::domains_not_to_click_track}, Column{"send_limit", &F::send_limit},
        Column{"message_retention_days", &F::message_retention_days},
        Column{"raw_message_retention_days", &F::raw_message_retention_days},
        Column{"raw_message_retention_size", &F::raw_message_retention_size},
        Column{"spam_threshold", &F::spam_threshold}, Column{"spam_failure_threshold", &F::spam_failure_threshold},
        Column{"outbound_spam_threshold", &F::outbound_spam_threshold}, Column{"allow_sender", &F::allow_sender},
        Column{"log_smtp_data", &F::log_smtp_data}, Column{"privacy_mode", &F::privacy_mode},
        Column{"suspended_at", &F::suspended_at}, Column{"suspension_reason", &F::suspension_reason},
        Column{"deleted_at", &F::deleted_at});
  }
};
using Server = Row<ServerFields>;

// Without permalink: made from the name. Creates the message database, too; undone with the change.
Result<Server> create_server(Work& work, Id organization_id, ServerFields fields, std::string uuid = {});
Result<Server> update_server(Work& work, Id id, const ServerFields& fields);
// A reason suspends, nothing ends it.
Result<Server> suspend_server(Work& work, Id id, std::optional<std::string> reason);
// Marks it: it refuses mail at once; rows and mail are removed later.
Result<> delete_server(Work& work, Id id);

// Of an organization, by permalink; deleted ones only when asked for.
std::optional<Server> find_server(Work& work, Id organization_id, std::string_view permalink, bool deleted_too = false);
std::vector<Server> servers_of(Work& work, Id organization_id);

}  // namespace posthaste::manage
