// Passwords as Postal keeps them: bcrypt (`$2a$`, cost 12), which looks at 72 bytes only.
#pragma once

#include <string>
#include <string_view>

#include "manage/problems.h"

namespace posthaste::manage {

constexpr std::size_t kMinimumPasswordLength = 10;
constexpr std::size_t kMaximumPasswordBytes = 72;
constexpr int kPasswordCost = 12;

void check_password(Problems& problems, std::string_view password);

// Takes about a quarter of a second at the usual cost: on a pool thread.
std::string hash_password(std::string_view password, int cost = kPasswordCost);
// False for a digest of any other form, too.
bool password_matches(std::string_view password, const std::string& digest);

}  // namespace posthaste::manage
