// Permalinks out of names (data-model.md section 3).
#pragma once

#include <string>
#include <string_view>

namespace posthaste::manage {

// `Ünïcode Größe` gives `unicode-grosse`. Letters that have no ASCII form count as blanks, `_` becomes `-`.
// Empty when nothing remains.
std::string permalink_of(std::string_view name);

}  // namespace posthaste::manage
