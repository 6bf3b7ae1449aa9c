// Webhooks of mail servers and the events that they want (data-model.md 4.10).
#pragma once

#include "manage/rows.h"

namespace posthaste::manage {

struct WebhookFields {
  Field<std::string> name, url;
  Field<Id> server_id;
  Field<bool> all_events, enabled, sign;
  Field<std::vector<std::string>> events;  // rows of their own; none when all_events

  static constexpr std::string_view kTable = "webhooks";
  static constexpr auto columns() {
    using F = WebhookFields;
    return std::tuple(Column{"name", &F::name}, Column{"url", &F::url}, Column{"server_id", &F::server_id},
                      Column{"all_events", &F::all_events}, Column{"enabled", &F::enabled}, Column{"sign", &F::sign});
  }
};
using Webhook = Row<WebhookFields>;

Result<Webhook> create_webhook(Work& work, Id server_id, WebhookFields fields, std::string uuid = {});
Result<Webhook> update_webhook(Work& work, Id id, const WebhookFields& fields);
// Requests that wait are sent nevertheless.
Result<> delete_webhook(Work& work, Id id);

std::optional<Webhook> find_webhook(Work& work, Id server_id, std::string_view name);
std::vector<Webhook> webhooks_of(Work& work, Id server_id);

}  // namespace posthaste::manage
