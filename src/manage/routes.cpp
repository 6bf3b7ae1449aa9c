#include "manage/routes.h"

#include <algorithm>

#include "base/strings.h"
#include "manage/domains.h"
#include "manage/problems.h"

namespace posthaste::manage {

namespace {

std::optional<std::string_view> table_of(std::string_view endpoint_type) {
  if (endpoint_type == "HTTPEndpoint") return "http_endpoints";
  if (endpoint_type == "SMTPEndpoint") return "smtp_endpoints";
  if (endpoint_type == "AddressEndpoint") return "address_endpoints";
  return std::nullopt;
}

bool endpoint_of_server(Work& work, const EndpointRef& endpoint, Id server_id) {
  auto table = table_of(endpoint.type);
  return table && work.exists(fmt::format("SELECT `id` FROM {{main}}`{}` WHERE `id` = ? AND `server_id` = ?", *table),
                              {endpoint.id, server_id});
}

bool is_return_path(const RouteFields& route) { return route.name.value_or("") == kReturnPath; }

std::optional<EndpointRef> endpoint_of(const RouteFields& route) {
  if (!route.endpoint_id.has_value() || is_blank(route.endpoint_type)) return std::nullopt;
  return EndpointRef{*route.endpoint_type, *route.endpoint_id};
}

void check_name(const RouteFields& route, Problems& problems) {
  check_present(problems, "Name", route.name);
  check_length(problems, "Name", route.name);
  if (route.name.value_or("") != "*" && !is_return_path(route))
    check_letters(problems, "Name", route.name, is_host_letter);
}

void check_domain(Work& work, const RouteFields& route, Problems& problems) {
  if (is_return_path(route)) return;
  if (!route.domain_id.has_value()) return problems.add("Domain", kBlank);
  auto domain = find_by_id<DomainFields>(work, *route.domain_id, "domain");
  if (!domain || !domain_usable_by(work, domain->fields, route.server_id.value_or(0)))
    return problems.add("Domain", kInvalid);
  if (!domain->fields.verified_at.has_value()) problems.add("Domain", "has not been verified yet");
}

void check_endpoint(Work& work, const RouteFields& route, Problems& problems) {
  auto endpoint = endpoint_of(route);
  if (is_blank(route.mode)) problems.add("Endpoint", "must be chosen");
  if (route.mode.value_or("") == "Endpoint" && !endpoint) problems.add("Endpoint", kBlank);
  if (endpoint && !endpoint_of_server(work, *endpoint, route.server_id.value_or(0))) problems.add("Endpoint", kInvalid);
  if (is_return_path(route) &&
      (route.mode.value_or("") != "Endpoint" || (endpoint && endpoint->type != "HTTPEndpoint")))
    problems.base("Return path routes must point to an HTTP endpoint");
}

void check_additional(Work& work, const RouteFields& route, Problems& problems) {
  if (!route.additional.has_value() || route.additional->empty()) return;
  if (route.mode.value_or("") != "Endpoint")
    return problems.base("Additional routes are not permitted unless the primary route is an actual endpoint");
  std::vector<EndpointRef> seen;
  if (auto endpoint = endpoint_of(route)) seen.push_back(*endpoint);
  for (const auto& endpoint : *route.additional) {
    if (!endpoint_of_server(work, endpoint, route.server_id.value_or(0))) problems.add("Endpoint", kInvalid);
    if (std::ranges::find(seen, endpoint) != seen.end()) problems.base("You can only add an endpoint to a route once");
    if (route.name.value_or("") == "*" && endpoint.type != "HTTPEndpoint")
      problems.base("SMTP or address endpoints are not permitted on wildcard routes");
    seen.push_back(endpoint);
  }
}

void check_unique(Work& work, const RouteFields& route, Id id, Problems& problems) {
  if (is_blank(route.name)) return;
  if (is_return_path(route)) {
    if (work.exists("SELECT `id` FROM {main}`routes` WHERE `server_id` = ? AND `name` = ? AND `id` <> ?",
                    {route.server_id.value_or(0), kReturnPath, id}))
      problems.base("A return path route already exists for this server");
    return;
  }
  if (!route.domain_id.has_value()) return;
  work.query(
      "SELECT o.`permalink`, s.`permalink` FROM {main}`routes` r JOIN {main}`domains` d ON d.`id` = r.`domain_id` JOIN "
      "{main}`domains` mine ON mine.`name` = d.`name` JOIN {main}`servers` s ON s.`id` = r.`server_id` JOIN "
      "{main}`organizations` o ON o.`id` = s.`organization_id` WHERE mine.`id` = ? AND r.`name` = ? AND r.`id` <> ? "
      "AND "
      "s.`deleted_at` IS NULL AND o.`deleted_at` IS NULL ORDER BY r.`id` LIMIT 1",
      {*route.domain_id, *route.name, id}, [&](const sql::Row& row) {
        problems.add("Name", fmt::format("is configured on the {}/{} mail server", row.text(0), row.text(1)));
      });
}

void validate(Work& work, const RouteFields& route, Id id, Problems& problems) {
  if (!work.exists("SELECT `id` FROM {main}`servers` WHERE `id` = ?", {route.server_id.value_or(0)}))
    return problems.add("Server", kMustExist);
  check_name(route, problems);
  check_included(problems, "Spam mode", route.spam_mode, {"Mark", "Quarantine", "Fail"});
  if (!is_blank(route.mode))
    check_included(problems, "Mode", route.mode, {"Endpoint", "Accept", "Hold", "Bounce", "Reject"});
  check_domain(work, route, problems);
  check_endpoint(work, route, problems);
  check_additional(work, route, problems);
  check_unique(work, route, id, problems);
}

// A mode without endpoint has none, whatever the row said before.
void settle(RouteFields& route) {
  if (is_return_path(route)) route.domain_id = std::nullopt;
  if (route.mode.value_or("") == "Endpoint") return;
  route.endpoint_id = std::nullopt;
  route.endpoint_type = std::nullopt;
}

void write_additional(Work& work, Id route_id, const std::vector<EndpointRef>& wanted) {
  auto present = additional_endpoints(work, route_id);
  if (present == wanted) return;
  work.run("DELETE FROM {main}`additional_route_endpoints` WHERE `route_id` = ?", {route_id});
  for (const auto& endpoint : wanted)
    work.run(
        "INSERT INTO {main}`additional_route_endpoints` (`route_id`, `endpoint_type`, `endpoint_id`, `created_at`, "
        "`updated_at`) VALUES (?, ?, ?, ?, ?)",
        {route_id, endpoint.type, endpoint.id, sql::DateTime{work.now()}, sql::DateTime{work.now()}});
}

}  // namespace

Result<Route> create_route(Work& work, Id server_id, RouteFields fields, std::string uuid) {
  fields.server_id = server_id;
  fields.spam_mode.default_to("Mark");
  if (is_blank(fields.token))
    fields.token = unique_random(work, "routes", "token", [] { return random_identifier(8); });
  settle(fields);
  Problems problems;
  validate(work, fields, 0, problems);
  if (!problems.none()) return problems.refuse();
  auto route = insert(work, std::move(fields), std::move(uuid));
  route.fields.additional.default_to({});
  write_additional(work, route.id, *route.fields.additional);
  return route;
}

Result<Route> update_route(Work& work, Id id, const RouteFields& fields) {
  auto complete = [&](RouteFields& f) {
    f.additional = fields.additional.has_value() ? *fields.additional : additional_endpoints(work, id);
    settle(f);
  };
  auto route = change(
      work, id, "route", fields, [&](const RouteFields& f, Problems& found) { validate(work, f, id, found); },
      complete);
  if (route) write_additional(work, id, *route->fields.additional);
  return route;
}

Result<> delete_route(Work& work, Id id) {
  work.run("DELETE FROM {main}`additional_route_endpoints` WHERE `route_id` = ?", {id});
  if (work.run("DELETE FROM {main}`routes` WHERE `id` = ?", {id}).affected == 0)
    return fail(ErrorKind::NotFound, fmt::format("there is no route with the id {}", id));
  return {};
}

void delete_routes_of_domain(Work& work, Id domain_id) {
  work.run(
      "DELETE FROM {main}`additional_route_endpoints` WHERE `route_id` IN (SELECT `id` FROM {main}`routes` WHERE "
      "`domain_id` = ?)",
      {domain_id});
  work.run("DELETE FROM {main}`routes` WHERE `domain_id` = ?", {domain_id});
}

void detach_endpoint(Work& work, const EndpointRef& endpoint) {
  // A route that becomes Reject may have no additional endpoints, either.
  work.run(
      "DELETE FROM {main}`additional_route_endpoints` WHERE (`endpoint_type` = ? AND `endpoint_id` = ?) OR `route_id` "
      "IN "
      "(SELECT `id` FROM {main}`routes` WHERE `endpoint_type` = ? AND `endpoint_id` = ?)",
      {endpoint.type, endpoint.id, endpoint.type, endpoint.id});
  work.run(
      "UPDATE {main}`routes` SET `mode` = 'Reject', `endpoint_type` = NULL, `endpoint_id` = NULL, `updated_at` = ? "
      "WHERE "
      "`endpoint_type` = ? AND `endpoint_id` = ?",
      {sql::DateTime{work.now()}, endpoint.type, endpoint.id});
}

std::optional<Route> find_route(Work& work, Id server_id, std::string_view name, std::optional<Id> domain_id) {
  auto found = domain_id ? select_one<RouteFields>(work, "`server_id` = ? AND `name` = ? AND `domain_id` = ?",
                                                   {server_id, name, *domain_id})
                         : select_one<RouteFields>(work, "`server_id` = ? AND `name` = ? AND `domain_id` IS NULL",
                                                   {server_id, name});
  if (found) found->fields.additional = additional_endpoints(work, found->id);
  return found;
}

std::vector<Route> routes_of(Work& work, Id server_id) {
  auto routes = select<RouteFields>(work, "`server_id` = ?", {server_id});
  for (auto& route : routes) route.fields.additional = additional_endpoints(work, route.id);
  return routes;
}

std::vector<EndpointRef> additional_endpoints(Work& work, Id route_id) {
  std::vector<EndpointRef> endpoints;
  work.query(
      "SELECT `endpoint_type`, `endpoint_id` FROM {main}`additional_route_endpoints` WHERE `route_id` = ? ORDER BY "
      "`id`",
      {route_id}, [&](const sql::Row& row) { endpoints.push_back({row.string(0), row.integer(1)}); });
  return endpoints;
}

}  // namespace posthaste::manage
