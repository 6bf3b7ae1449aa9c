// SHA-256 over bytes that come in pieces of any size.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace posthaste::trust {

class Sha256 {
 public:
  Sha256();
  void update(std::string_view bytes);
  // The 32 bytes; ends the computation.
  std::string finish();

 private:
  void flush();

  // Small pieces are gathered: a call into the library costs more than hashing a few bytes.
  static constexpr std::size_t kGather = 4096;
  static constexpr std::size_t kSmall = 256;
  std::shared_ptr<void> context_;
  std::array<char, kGather> gathered_;
  std::size_t used_ = 0;
};

}  // namespace posthaste::trust
