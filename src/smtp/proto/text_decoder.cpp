// Ordinary lines are the hot path: memchr finds their ends, and runs of lines that need no change are copied at once.
// All else goes byte by byte through the states, which are also what lets input be cut anywhere.
#include "smtp/proto/text_decoder.h"

#include <cstring>

namespace posthaste::smtp::proto {

namespace {

constexpr std::size_t kLongLine = 998;

const char* find(const char* at, const char* end, char c) {
  return static_cast<const char*>(std::memchr(at, c, std::size_t(end - at)));
}

}  // namespace

TextDecoder::Fed TextDecoder::feed(std::string_view input, std::string& text) {
  const char* at = input.data();
  const char* const end = at + input.size();
  while (at < end) {
    const char c = *at;
    switch (state_) {
      case State::LineStart:
      case State::Text:
        at = bulk(at, end, text);
        break;
      case State::Cr:
        if (c == '\n') {
          put("\r\n", text);
          end_line(true);
          ++at;
        } else {
          ++bare_cr_;
          put(" ", text);
          state_ = State::Text;
        }
        break;
      case State::Dot:
        if (c == '\n') {
          ++bare_lf_;
          put(".\r\n", text);
          end_line(false);
          ++at;
        } else if (c == '\r') {
          state_ = State::DotCr;
          ++at;
        } else {
          state_ = State::Text;  // the dot goes, doubled or not (RFC 5321 4.5.2)
        }
        break;
      case State::DotCr:
        if (c == '\n') {
          ++at;
          if (after_crlf_) return {std::size_t(at - input.data()), true};
          put(".\r\n", text);
          end_line(true);
        } else {
          state_ = State::Cr;
        }
        break;
    }
  }
  return {input.size(), false};
}

// From plain text or a line's start to the next byte that needs a state, or the end.
const char* TextDecoder::bulk(const char* at, const char* end, std::string& text) {
  const char* run = at;
  bool line_start = state_ == State::LineStart;
  const auto flush = [&](const char* until) { put({run, std::size_t(until - run)}, text); };
  for (;;) {
    if (line_start && dots_ && at < end && *at == '.') {
      flush(at);
      state_ = State::Dot;
      return at + 1;
    }
    const char* lf = at < end ? find(at, end, '\n') : nullptr;
    const char* stop = lf ? lf : end;
    const char* cr = at < stop ? find(at, stop, '\r') : nullptr;
    if (lf && cr == lf - 1 && cr) {
      line_ += std::size_t(cr - at);
      end_line(true);
      line_start = true;
      at = lf + 1;
      continue;
    }
    const char* cut = cr ? cr : stop;
    line_ += std::size_t(cut - at);
    if (cut == end) {
      if (at < end) state_ = State::Text;
      flush(end);
      return end;
    }
    flush(cut);
    if (cr) {
      state_ = State::Cr;
      return cr + 1;
    }
    ++bare_lf_;
    put("\r\n", text);
    end_line(false);
    line_start = true;
    run = at = lf + 1;
  }
}

void TextDecoder::finish(std::string& text) {
  if (state_ == State::Cr) {
    ++bare_cr_;
    put(" ", text);
    state_ = State::Text;
  }
  if (state_ == State::LineStart) return;
  put("\r\n", text);
  end_line(true);
}

void TextDecoder::put(std::string_view bytes, std::string& text) {
  bytes_ += bytes.size();
  if (overflow_ || text.size() + bytes.size() > limit_) {
    overflow_ = true;
    return;
  }
  text += bytes;
}

void TextDecoder::end_line(bool crlf) {
  if (line_ > kLongLine) ++long_lines_;
  line_ = 0;
  after_crlf_ = crlf;
  state_ = State::LineStart;
}

}  // namespace posthaste::smtp::proto
