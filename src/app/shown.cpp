#include "app/shown.h"

#include "base/strings.h"

namespace posthaste::app {

std::string shown(std::string_view text, std::size_t most) {
  const std::string clean = clean_utf8(text);
  std::string out;
  std::size_t characters = 0;
  for (std::size_t i = 0; i < clean.size(); ++i) {
    const auto c = static_cast<unsigned char>(clean[i]);
    const bool begins = (c & 0xC0) != 0x80;
    if (begins && characters++ == most) return out + "...";
    // U+0080 to U+009F are control characters, too: C2 80 to C2 9F.
    const bool late_control = c == 0xC2 && i + 1 < clean.size() && static_cast<unsigned char>(clean[i + 1]) < 0xA0;
    if (late_control) ++i;
    out += c < 0x20 || c == 0x7F || late_control ? ' ' : clean[i];
  }
  return out;
}

}  // namespace posthaste::app
