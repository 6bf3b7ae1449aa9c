// Whether a port can be had.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"

namespace posthaste::app {

// The loops of a process share its ports (SO_REUSEPORT), and the system would let a second instance of the same user
// share them, too: each would get half of the connections. Fails with Unavailable when somebody listens there.
Result<> check_port_free(const std::string& address, std::uint16_t port);

}  // namespace posthaste::app
