#include "trust/canonical_body.h"

#include <algorithm>
#include <cstring>

namespace posthaste::trust {

namespace {

bool white(char c) { return c == ' ' || c == '\t'; }

const char* find(const char* begin, const char* end, char c) {
  return static_cast<const char*>(std::memchr(begin, c, std::size_t(end - begin)));
}

// True when the line, which neither begins nor ends with white space, stays as it is.
bool plain(const char* begin, const char* end) {
  const std::size_t size = std::size_t(end - begin);
  return !std::memchr(begin, '\t', size) && !memmem(begin, size, "  ", 2);
}

constexpr std::string_view kNewlines = "\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n";

}  // namespace

void RelaxedBodyHash::update(std::string_view piece) {
  if (piece.empty()) return;
  const char* at = piece.data();
  const char* const end = at + piece.size();
  if (after_cr_ && *at == '\n') ++at;
  after_cr_ = false;

  const char* lf = at < end ? find(at, end, '\n') : nullptr;
  while (at < end) {
    const char* stop = lf ? lf : end;
    const char* cr = find(at, stop, '\r');
    line(at, cr ? cr : stop);
    if (cr) {
      ++newlines_;
      space_ = false;
      at = cr + 1;
      after_cr_ = at == end;
      if (at != stop || !lf) continue;  // a bare CR, or one at the end of the piece
    } else if (lf) {
      ++newlines_;
      space_ = false;
    } else {
      break;
    }
    at = lf + 1;
    lf = at < end ? find(at, end, '\n') : nullptr;
  }
  flush_run();
}

std::string RelaxedBodyHash::finish() {
  if (any_) digest_.update("\r\n");
  return digest_.finish();
}

void RelaxedBodyHash::line(const char* begin, const char* end) {
  const char* last = end;
  while (last > begin && white(last[-1])) --last;
  const char* first = std::find_if_not(begin, last, white);
  if (first != begin) space_ = true;

  const bool whole = first < last && plain(first, last);
  while (first < last) {
    const char* word_end = whole ? last : std::find_if(first, last, white);
    content(first, word_end);
    first = std::find_if_not(word_end, last, white);
    if (first < last) space_ = true;
  }
  if (last != end) space_ = true;  // matters only if the line goes on in the next piece
}

void RelaxedBodyHash::content(const char* begin, const char* end) {
  if (!run_begin_ || !gap_is_canonical(begin)) {
    flush_run();
    flush_gap();
    run_begin_ = begin;
  }
  run_end_ = end;
  newlines_ = 0;
  space_ = false;
  any_ = true;
}

bool RelaxedBodyHash::gap_is_canonical(const char* begin) const {
  const std::string_view gap(run_end_, std::size_t(begin - run_end_));
  const std::size_t line_ends = newlines_ * 2;
  if (gap.size() != line_ends + (space_ ? 1 : 0) || line_ends > kNewlines.size()) return false;
  return gap.substr(0, line_ends) == kNewlines.substr(0, line_ends) && (!space_ || gap.back() == ' ');
}

void RelaxedBodyHash::flush_run() {
  if (run_begin_) digest_.update({run_begin_, std::size_t(run_end_ - run_begin_)});
  run_begin_ = run_end_ = nullptr;
}

void RelaxedBodyHash::flush_gap() {
  for (std::size_t left = newlines_ * 2; left > 0;) {
    const std::size_t some = std::min(left, kNewlines.size());
    digest_.update(kNewlines.substr(0, some));
    left -= some;
  }
  if (space_) digest_.update(" ");
}

}  // namespace posthaste::trust
