// What was probably meant by a word with a typing mistake in it.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace posthaste {

// Compares candidates, one after the other, with a word. What needs more edits than a typing mistake is another word.
class Similar {
 public:
  explicit Similar(std::string_view word) : word_(word), least_(word.size() / 4 + 2) {}
  // True if this candidate is nearer than all before it.
  bool nearer(std::string_view candidate);

 private:
  std::string_view word_;
  std::size_t least_;
};

// The nearest of the candidates, or empty.
std::string nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace posthaste
