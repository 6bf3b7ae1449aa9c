#include "manage/servers.h"

#include <cmath>
#include <cstdint>

#include "base/strings.h"
#include "manage/permalink.h"
#include "manage/problems.h"

namespace posthaste::manage {

namespace {

constexpr double kMaximumThreshold = 999999.99;  // decimal(8,2)

void check_not_negative(Problems& problems, std::string_view attribute, const Field<std::int64_t>& field) {
  if (!field.has_value()) return;
  if (*field < 0) problems.add(attribute, "must be greater than or equal to 0");
  if (*field > INT32_MAX) problems.add(attribute, fmt::format("must be less than or equal to {}", INT32_MAX));
}

void check_threshold(Problems& problems, std::string_view attribute, const Field<double>& field) {
  if (field.has_value() && !(std::abs(*field) <= kMaximumThreshold)) problems.add(attribute, kInvalid);
}

void validate_settings(const ServerFields& server, Problems& problems) {
  check_not_negative(problems, "Send limit", server.send_limit);
  check_not_negative(problems, "Message retention days", server.message_retention_days);
  check_not_negative(problems, "Raw message retention days", server.raw_message_retention_days);
  check_not_negative(problems, "Raw message retention size", server.raw_message_retention_size);
  check_threshold(problems, "Spam threshold", server.spam_threshold);
  check_threshold(problems, "Spam failure threshold", server.spam_failure_threshold);
  check_threshold(problems, "Outbound spam threshold", server.outbound_spam_threshold);
  check_length(problems, "Postmaster address", server.postmaster_address);
  check_length(problems, "Suspension reason", server.suspension_reason);
  check_length(problems, "Domains not to click track", server.domains_not_to_click_track, 16000);
}

// `before`: null for a new one.
void validate(Work& work, const ServerFields& server, Id id, const ServerFields* before, Problems& problems) {
  Id organization = server.organization_id.value_or(0);
  auto taken = [&](std::string_view column, const Field<std::string>& field) {
    return !is_blank(field) && work.exists(fmt::format("SELECT `id` FROM {{main}}`servers` WHERE `organization_id` = ? "
                                                       "AND `{}` = ? AND `id` <> ?",
                                                       column),
                                           {organization, *field, id});
  };
  if (!work.exists("SELECT `id` FROM {main}`organizations` WHERE `id` = ?", {organization}))
    problems.add("Organization", kMustExist);
  check_present(problems, "Name", server.name);
  check_length(problems, "Name", server.name);
  if (taken("name", server.name)) problems.add("Name", kTaken);
  check_included(problems, "Mode", server.mode, {"Live", "Development"});
  check_present(problems, "Permalink", server.permalink);
  check_length(problems, "Permalink", server.permalink);
  if (taken("permalink", server.permalink)) problems.add("Permalink", kTaken);
  check_letters(problems, "Permalink", server.permalink, is_permalink_letter);
  check_reserved(problems, "Permalink", server.permalink,
                 {"new", "all", "search", "stats", "edit", "manage", "delete", "destroy", "remove"});
  if (server.ip_pool_id.has_value() && !(before && before->ip_pool_id.same(server.ip_pool_id)) &&
      !work.exists("SELECT `id` FROM {main}`organization_ip_pools` WHERE `organization_id` = ? AND `ip_pool_id` = ?",
                   {organization, *server.ip_pool_id}))
    problems.add("IP pool", "must belong to the organization");
  validate_settings(server, problems);
}

void apply_defaults(Work& work, ServerFields& server) {
  server.mode.default_to("Live");
  server.raw_message_retention_days.default_to(30);
  server.raw_message_retention_size.default_to(2048);
  server.message_retention_days.default_to(60);
  server.spam_threshold.default_to(double(work.config().postal.default_spam_threshold));
  server.spam_failure_threshold.default_to(double(work.config().postal.default_spam_failure_threshold));
  for (auto* off : {&server.allow_sender, &server.log_smtp_data, &server.privacy_mode}) off->default_to(false);
  if (is_blank(server.permalink) && !is_blank(server.name)) {
    server.permalink = permalink_of(*server.name);
    if (server.permalink->empty()) server.permalink = "server-" + to_lower(random_alphanumeric(6));
  }
  if (!is_blank(server.token)) return;
  server.token = unique_random(work, "servers", "token", random_server_token);
}

}  // namespace

Result<Server> create_server(Work& work, Id organization_id, ServerFields fields, std::string uuid) {
  fields.organization_id = organization_id;
  apply_defaults(work, fields);
  Problems problems;
  validate(work, fields, 0, nullptr, problems);
  if (work.exists("SELECT `id` FROM {main}`servers` WHERE `token` = ?", {*fields.token})) problems.add("Token", kTaken);
  if (!problems.none()) return problems.refuse();

  auto server = insert(work, std::move(fields), std::move(uuid));
  if (work.trial) return server;
  if (auto made = work.store().provision(server.id); !made) return std::unexpected(made.error());
  work.provisioned.push_back(server.id);
  return server;
}

Result<Server> update_server(Work& work, Id id, const ServerFields& fields) {
  auto server = find_by_id<ServerFields>(work, id, "mail server");
  if (!server) return server;
  auto before = server->fields;
  overlay(server->fields, fields);

  auto problems = problems_of_update(
      before, server->fields, [&](const ServerFields& f, Problems& found) { validate(work, f, id, &before, found); });
  if (!problems.none()) return problems.refuse();
  update(work, id, before, server->fields);
  return server;
}

Result<Server> suspend_server(Work& work, Id id, std::optional<std::string> reason) {
  ServerFields fields;
  fields.suspended_at = reason ? std::optional(work.now()) : std::nullopt;
  fields.suspension_reason = std::move(reason);
  return update_server(work, id, fields);
}

Result<> delete_server(Work& work, Id id) {
  ServerFields fields;
  fields.deleted_at = work.now();
  auto deleted = update_server(work, id, fields);
  if (!deleted) return std::unexpected(deleted.error());
  return {};
}

std::optional<Server> find_server(Work& work, Id organization_id, std::string_view permalink, bool deleted_too) {
  return select_one<ServerFields>(
      work, fmt::format("`organization_id` = ? AND `permalink` = ?{}", deleted_too ? "" : " AND `deleted_at` IS NULL"),
      {organization_id, permalink});
}

std::vector<Server> servers_of(Work& work, Id organization_id) {
  return select<ServerFields>(work, "`organization_id` = ? AND `deleted_at` IS NULL", {organization_id});
}

}  // namespace posthaste::manage
