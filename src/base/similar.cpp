#include "base/similar.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace posthaste {

namespace {

// Edits that turn one word into the other (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

constexpr std::size_t kLongestWord = 100;  // nobody mistypes more, and the work grows with the square

}  // namespace

bool Similar::nearer(std::string_view candidate) {
  if (word_.size() > kLongestWord || candidate.size() > kLongestWord) return false;
  const auto edits = distance(word_, candidate);
  if (edits >= least_ || edits >= candidate.size()) return false;
  least_ = edits;
  return true;
}

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
  Similar similar(word);
  std::string found;
  for (const auto& candidate : candidates)
    if (similar.nearer(candidate)) found = candidate;
  return found;
}

}  // namespace posthaste
