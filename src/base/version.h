// The one place that names the version; CMakeLists.txt reads it here.
#pragma once

#include <string_view>

namespace posthaste {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace posthaste
