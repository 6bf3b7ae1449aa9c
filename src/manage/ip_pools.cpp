#include "manage/ip_pools.h"

#include "base/network.h"
#include "manage/problems.h"

namespace posthaste::manage {

namespace {

void validate(const IpPoolFields& pool, Problems& problems) {
  check_present(problems, "Name", pool.name);
  check_length(problems, "Name", pool.name);
}

void check_address(Work& work, std::string_view attribute, std::string_view column, const Field<std::string>& field,
                   bool v6, Id id, Problems& problems) {
  if (is_blank(field)) return;
  auto parsed = posthaste::IpAddress::parse(*field);
  if (!parsed || parsed->v6 != v6) problems.add(attribute, kInvalid);
  if (work.exists(fmt::format("SELECT `id` FROM {{main}}`ip_addresses` WHERE `{}` = ? AND `id` <> ?", column),
                  {*field, id}))
    problems.add(attribute, kTaken);
}

void validate(Work& work, const IpAddressFields& address, Id id, Problems& problems) {
  if (!work.exists("SELECT `id` FROM {main}`ip_pools` WHERE `id` = ?", {address.ip_pool_id.value_or(0)}))
    problems.add("IP pool", kMustExist);
  check_present(problems, "Ipv4", address.ipv4);
  check_address(work, "Ipv4", "ipv4", address.ipv4, false, id, problems);
  check_address(work, "Ipv6", "ipv6", address.ipv6, true, id, problems);
  check_present(problems, "Hostname", address.hostname);
  check_length(problems, "Hostname", address.hostname);
  if (address.priority.value_or(100) < 0) problems.add("Priority", "must be greater than or equal to 0");
  if (address.priority.value_or(100) > 100) problems.add("Priority", "must be less than or equal to 100");
}

}  // namespace

Result<IpPool> create_ip_pool(Work& work, IpPoolFields fields, std::string uuid) {
  fields.is_default.default_to(false);
  Problems problems;
  validate(fields, problems);
  if (!problems.none()) return problems.refuse();
  return insert(work, std::move(fields), std::move(uuid));
}

Result<IpPool> update_ip_pool(Work& work, Id id, const IpPoolFields& fields) {
  return change(work, id, "IP pool", fields, [&](const IpPoolFields& f, Problems& found) { validate(f, found); });
}

Result<> delete_ip_pool(Work& work, Id id) {
  if (work.exists("SELECT `id` FROM {main}`ip_addresses` WHERE `ip_pool_id` = ? LIMIT 1", {id}))
    return fail(ErrorKind::Conflict, "IP pool cannot be deleted while it has IP addresses");
  if (work.exists("SELECT `id` FROM {main}`servers` WHERE `ip_pool_id` = ? LIMIT 1", {id}))
    return fail(ErrorKind::Conflict, "IP pool cannot be deleted while mail servers use it");
  work.run("DELETE FROM {main}`organization_ip_pools` WHERE `ip_pool_id` = ?", {id});
  work.run("DELETE FROM {main}`ip_pool_rules` WHERE `ip_pool_id` = ?", {id});
  if (work.run("DELETE FROM {main}`ip_pools` WHERE `id` = ?", {id}).affected == 0)
    return fail(ErrorKind::NotFound, fmt::format("there is no IP pool with the id {}", id));
  return {};
}

std::optional<IpPool> find_ip_pool(Work& work, std::string_view name) {
  return select_one<IpPoolFields>(work, "`name` = ?", {name});
}

std::vector<IpPool> all_ip_pools(Work& work) { return select<IpPoolFields>(work, "1 = 1", {}); }

Result<IpAddress> create_ip_address(Work& work, Id ip_pool_id, IpAddressFields fields) {
  fields.ip_pool_id = ip_pool_id;
  if (!fields.priority.has_value()) fields.priority = 100;
  Problems problems;
  validate(work, fields, 0, problems);
  if (!problems.none()) return problems.refuse();
  return insert(work, std::move(fields));
}

Result<IpAddress> update_ip_address(Work& work, Id id, const IpAddressFields& fields) {
  auto settle = [](IpAddressFields& f) { f.priority = f.priority.value_or(100); };
  return change(
      work, id, "IP address", fields, [&](const IpAddressFields& f, Problems& found) { validate(work, f, id, found); },
      settle);
}

Result<> delete_ip_address(Work& work, Id id) {
  if (work.run("DELETE FROM {main}`ip_addresses` WHERE `id` = ?", {id}).affected == 0)
    return fail(ErrorKind::NotFound, fmt::format("there is no IP address with the id {}", id));
  return {};
}

std::optional<IpAddress> find_ip_address(Work& work, std::string_view ipv4) {
  return select_one<IpAddressFields>(work, "`ipv4` = ?", {ipv4});
}

std::vector<IpAddress> ip_addresses_of(Work& work, Id ip_pool_id) {
  return select<IpAddressFields>(work, "`ip_pool_id` = ?", {ip_pool_id});
}

}  // namespace posthaste::manage
