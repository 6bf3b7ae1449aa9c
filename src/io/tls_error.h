// OpenSSL's own words. Only for the .cpp files of this room.
#pragma once

#include <string>

namespace posthaste::io {

// The thread's last error of OpenSSL, as a line for the log.
std::string tls_error_text();

}  // namespace posthaste::io
