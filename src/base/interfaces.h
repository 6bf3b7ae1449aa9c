// The addresses of this machine.
#pragma once

#include <vector>

#include "base/network.h"

namespace posthaste {

// Those of all interfaces, loopback included.
std::vector<IpAddress> interface_addresses();

}  // namespace posthaste
