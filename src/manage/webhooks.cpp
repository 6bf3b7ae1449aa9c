#include "manage/webhooks.h"

#include <algorithm>

#include "base/strings.h"
#include "manage/problems.h"

namespace posthaste::manage {

namespace {

std::vector<std::string> events_of(Work& work, Id webhook_id) {
  std::vector<std::string> events;
  work.query("SELECT `event` FROM {main}`webhook_events` WHERE `webhook_id` = ? ORDER BY `id`", {webhook_id},
             [&](const sql::Row& row) { events.push_back(row.string(0)); });
  return events;
}

bool is_event_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         std::ranges::all_of(name, [](char c) { return is_permalink_letter(ascii_lower(c)) || c == '_' || c == '.'; });
}

void validate(Work& work, const WebhookFields& webhook, Problems& problems) {
  if (!work.exists("SELECT `id` FROM {main}`servers` WHERE `id` = ?", {webhook.server_id.value_or(0)}))
    problems.add("Server", kMustExist);
  check_present(problems, "Name", webhook.name);
  check_length(problems, "Name", webhook.name);
  check_present(problems, "Url", webhook.url);
  check_length(problems, "Url", webhook.url);
  if (!is_blank(webhook.url) && !is_web_url(*webhook.url)) problems.add("Url", kInvalid);
  if (webhook.events.has_value() && !std::ranges::all_of(*webhook.events, is_event_name))
    problems.add("Events", kInvalid);
}

// Webhooks that want everything name nothing; nobody names an event twice.
void settle(WebhookFields& webhook) {
  if (webhook.all_events.value_or(false)) return void(webhook.events = std::vector<std::string>());
  std::vector<std::string> once;
  for (auto& event : webhook.events.value_or({}))
    if (std::ranges::find(once, event) == once.end()) once.push_back(event);
  webhook.events = std::move(once);
}

void write_events(Work& work, Id webhook_id, const std::vector<std::string>& wanted) {
  auto present = events_of(work, webhook_id);
  for (const auto& event : present)
    if (std::ranges::find(wanted, event) == wanted.end())
      work.run("DELETE FROM {main}`webhook_events` WHERE `webhook_id` = ? AND `event` = ?", {webhook_id, event});
  for (const auto& event : wanted)
    if (std::ranges::find(present, event) == present.end())
      work.run("INSERT INTO {main}`webhook_events` (`webhook_id`, `event`, `created_at`) VALUES (?, ?, ?)",
               {webhook_id, event, sql::DateTime{work.now()}});
}

}  // namespace

Result<Webhook> create_webhook(Work& work, Id server_id, WebhookFields fields, std::string uuid) {
  fields.server_id = server_id;
  fields.all_events.default_to(false);
  fields.enabled.default_to(true);
  fields.sign.default_to(true);
  settle(fields);
  Problems problems;
  validate(work, fields, problems);
  if (!problems.none()) return problems.refuse();
  auto webhook = insert(work, std::move(fields), std::move(uuid));
  write_events(work, webhook.id, *webhook.fields.events);
  return webhook;
}

Result<Webhook> update_webhook(Work& work, Id id, const WebhookFields& fields) {
  auto complete = [&](WebhookFields& f) {
    f.events = fields.events.has_value() ? *fields.events : events_of(work, id);
    settle(f);
  };
  auto webhook = change(
      work, id, "webhook", fields, [&](const WebhookFields& f, Problems& found) { validate(work, f, found); },
      complete);
  if (webhook) write_events(work, id, *webhook->fields.events);
  return webhook;
}

Result<> delete_webhook(Work& work, Id id) {
  work.run("DELETE FROM {main}`webhook_events` WHERE `webhook_id` = ?", {id});
  if (work.run("DELETE FROM {main}`webhooks` WHERE `id` = ?", {id}).affected == 0)
    return fail(ErrorKind::NotFound, fmt::format("there is no webhook with the id {}", id));
  return {};
}

std::optional<Webhook> find_webhook(Work& work, Id server_id, std::string_view name) {
  auto found = select_one<WebhookFields>(work, "`server_id` = ? AND `name` = ?", {server_id, name});
  if (found) found->fields.events = events_of(work, found->id);
  return found;
}

std::vector<Webhook> webhooks_of(Work& work, Id server_id) {
  auto webhooks = select<WebhookFields>(work, "`server_id` = ?", {server_id});
  for (auto& webhook : webhooks) webhook.fields.events = events_of(work, webhook.id);
  return webhooks;
}

}  // namespace posthaste::manage
