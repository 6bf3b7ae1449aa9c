#include "manage/password.h"

#include <crypt.h>

#include <fmt/format.h>

#include <array>
#include <memory>
#include <stdexcept>

#include "base/random.h"
#include "base/strings.h"

namespace posthaste::manage {

namespace {

// Empty when libxcrypt refuses the setting.
std::string crypt_with(std::string_view password, const std::string& setting) {
  auto data = std::make_unique<crypt_data>();
  const char* digest = crypt_rn(std::string(password).c_str(), setting.c_str(), data.get(), sizeof *data);
  return digest ? digest : "";
}

}  // namespace

void check_password(Problems& problems, std::string_view password) {
  if (password.empty()) return problems.add("Password", kBlank);
  if (utf8_prefix(password, kMinimumPasswordLength - 1).size() == password.size())
    problems.add("Password", fmt::format("is too short (minimum is {} characters)", kMinimumPasswordLength));
  if (password.size() > kMaximumPasswordBytes)
    problems.add("Password", fmt::format("is too long (maximum is {} bytes)", kMaximumPasswordBytes));
  if (!is_utf8(password) || password.find('\0') != password.npos) problems.add("Password", kInvalid);
}

std::string hash_password(std::string_view password, int cost) {
  std::array<unsigned char, 16> salt;
  random_bytes(salt);
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting;
  if (!crypt_gensalt_rn("$2a$", static_cast<unsigned long>(cost), reinterpret_cast<const char*>(salt.data()),
                        int(salt.size()), setting.data(), int(setting.size())))
    throw std::runtime_error("libxcrypt makes no bcrypt salt");
  auto digest = crypt_with(password, setting.data());
  if (digest.empty()) throw std::runtime_error("libxcrypt makes no bcrypt digest");
  return digest;
}

bool password_matches(std::string_view password, const std::string& digest) {
  if (!digest.starts_with("$2") || password.find('\0') != password.npos) return false;
  auto again = crypt_with(password, digest);
  return !again.empty() && constant_time_equal(again, digest);
}

}  // namespace posthaste::manage
