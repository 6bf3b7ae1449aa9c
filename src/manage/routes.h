// Routes of incoming mail (data-model.md 4.6).
#pragma once

#include <compare>

#include "manage/rows.h"

namespace posthaste::manage {

struct EndpointRef {
  std::string type;  // HTTPEndpoint, SMTPEndpoint, AddressEndpoint
  Id id = 0;
  auto operator<=>(const EndpointRef&) const = default;
};

struct RouteFields {
  Field<std::string> name, mode, spam_mode, token, endpoint_type;
  Field<Id> server_id, domain_id, endpoint_id;
  Field<std::vector<EndpointRef>> additional;  // rows of their own, in this order

  static constexpr std::string_view kTable = "routes";
  static constexpr auto columns() {
    using F = RouteFields;
    return std::tuple(Column{"name", &F::name}, Column{"mode", &F::mode}, Column{"spam_mode", &F::spam_mode},
                      Column{"token", &F::token}, Column{"endpoint_type", &F::endpoint_type},
                      Column{"server_id", &F::server_id}, Column{"domain_id", &F::domain_id},
                      Column{"endpoint_id", &F::endpoint_id});
  }
};
using Route = Row<RouteFields>;

constexpr std::string_view kReturnPath = "__returnpath__";

Result<Route> create_route(Work& work, Id server_id, RouteFields fields, std::string uuid = {});
Result<Route> update_route(Work& work, Id id, const RouteFields& fields);
Result<> delete_route(Work& work, Id id);
void delete_routes_of_domain(Work& work, Id domain_id);
// Before an endpoint goes: routes that lead to it become Reject, additional rows are removed.
void detach_endpoint(Work& work, const EndpointRef& endpoint);

std::optional<Route> find_route(Work& work, Id server_id, std::string_view name, std::optional<Id> domain_id);
std::vector<Route> routes_of(Work& work, Id server_id);
std::vector<EndpointRef> additional_endpoints(Work& work, Id route_id);

}  // namespace posthaste::manage
