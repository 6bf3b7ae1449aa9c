// Pools of source addresses (data-model.md 4.8).
#pragma once

#include "manage/rows.h"

namespace posthaste::manage {

struct IpPoolFields {
  Field<std::string> name;
  Field<bool> is_default;

  static constexpr std::string_view kTable = "ip_pools";
  static constexpr auto columns() {
    return std::tuple(Column{"name", &IpPoolFields::name}, Column{"default", &IpPoolFields::is_default});
  }
};
using IpPool = Row<IpPoolFields>;

struct IpAddressFields {
  Field<std::string> ipv4, ipv6, hostname;
  Field<std::int64_t> priority;  // 0 to 100
  Field<Id> ip_pool_id;

  static constexpr std::string_view kTable = "ip_addresses";
  static constexpr bool kNoUuid = true;
  static constexpr auto columns() {
    using F = IpAddressFields;
    return std::tuple(Column{"ipv4", &F::ipv4}, Column{"ipv6", &F::ipv6}, Column{"hostname", &F::hostname},
                      Column{"priority", &F::priority}, Column{"ip_pool_id", &F::ip_pool_id});
  }
};
using IpAddress = Row<IpAddressFields>;

Result<IpPool> create_ip_pool(Work& work, IpPoolFields fields, std::string uuid = {});
Result<IpPool> update_ip_pool(Work& work, Id id, const IpPoolFields& fields);
// Refused while it has addresses or mail servers.
Result<> delete_ip_pool(Work& work, Id id);
std::optional<IpPool> find_ip_pool(Work& work, std::string_view name);
std::vector<IpPool> all_ip_pools(Work& work);

Result<IpAddress> create_ip_address(Work& work, Id ip_pool_id, IpAddressFields fields);
Result<IpAddress> update_ip_address(Work& work, Id id, const IpAddressFields& fields);
// What waits for this source address goes by any.
Result<> delete_ip_address(Work& work, Id id);
std::optional<IpAddress> find_ip_address(Work& work, std::string_view ipv4);
std::vector<IpAddress> ip_addresses_of(Work& work, Id ip_pool_id);

}  // namespace posthaste::manage
