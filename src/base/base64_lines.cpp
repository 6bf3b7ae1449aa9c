#include "base/base64_lines.h"

#include <algorithm>

#include "base/strings.h"

namespace posthaste {

namespace {

constexpr std::size_t kBytesInLine = 45;

}  // namespace

std::string base64_in_short_lines(std::string_view bytes, std::string_view line_end) {
  const std::size_t lines = (bytes.size() + kBytesInLine - 1) / kBytesInLine;
  std::string out;
  out.reserve(lines * (kBytesInLine / 3 * 4 + line_end.size()));
  for (std::size_t at = 0; at < bytes.size(); at += kBytesInLine) {
    out += base64_encode(bytes.substr(at, kBytesInLine));
    out += line_end;
  }
  return out;
}

}  // namespace posthaste
