// The name servers that a machine is told to ask. Only for the .cpp files of this room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace posthaste::io {

// The `nameserver` lines of resolv.conf(5); other settings and lines that name no address are passed over.
std::vector<std::string> parse_name_servers(std::string_view text);
// Invalid if the file cannot be read or names none.
Result<std::vector<std::string>> read_name_servers(const std::string& path);

// `address` or `address@port`, an IPv6 address may have a zone (`fe80::1%eth0`).
bool is_name_server(std::string_view text);

}  // namespace posthaste::io
