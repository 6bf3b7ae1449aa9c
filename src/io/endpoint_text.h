// How addresses with ports are shown to people.
#pragma once

#include <string>

#include "io/stream.h"

namespace posthaste::io {

std::string to_text(const Endpoint& endpoint);  // `192.0.2.1:25`, `[2001:db8::1]:25`

}  // namespace posthaste::io
