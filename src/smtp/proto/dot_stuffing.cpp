#include "smtp/proto/dot_stuffing.h"

#include <cstring>

namespace posthaste::smtp::proto {

namespace {

constexpr std::string_view kLineEnd = "\r\n", kDot = ".";

// Where the next CR or LF is; the end if there is none.
const char* next_line_end(const char* at, const char* end) {
  const auto* lf = static_cast<const char*>(std::memchr(at, '\n', std::size_t(end - at)));
  const char* stop = lf ? lf : end;
  const auto* cr = static_cast<const char*>(std::memchr(at, '\r', std::size_t(stop - at)));
  return cr ? cr : stop;
}

}  // namespace

void DotStuffing::encode(std::string_view piece, std::vector<std::string_view>& out) {
  const char* at = piece.data();
  const char* const end = at + piece.size();
  if (at == end) return;
  if (after_cr_ && *at == '\n') ++at;
  after_cr_ = false;

  const char* run = at;  // bytes from here on go out as they are
  const auto flush = [&](const char* until) {
    if (until > run) out.emplace_back(run, std::size_t(until - run));
  };
  while (at < end) {
    if (line_start_ && *at == '.') {
      flush(at);
      out.push_back(kDot);
      run = at;
    }
    const char* stop = next_line_end(at, end);
    line_start_ = stop < end;
    if (stop == end) break;

    if (*stop == '\r' && stop + 1 < end && stop[1] == '\n') {
      at = stop + 2;
      continue;
    }
    flush(stop);
    out.push_back(kLineEnd);
    after_cr_ = *stop == '\r' && stop + 1 == end;
    run = at = stop + 1;
  }
  flush(end);
}

void DotStuffing::finish(std::vector<std::string_view>& out) {
  if (!line_start_) out.push_back(kLineEnd);
  line_start_ = true;
  after_cr_ = false;
}

}  // namespace posthaste::smtp::proto
