// Files that the program makes.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace posthaste::app {

// Writes a file with these rights, whole or not at all: beside it first, synced, then renamed over it.
Result<> write_file(const std::string& path, std::string_view content, mode_t mode);

}  // namespace posthaste::app
