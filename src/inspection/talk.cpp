#include "inspection/talk.h"

#include <array>

namespace posthaste::inspection {

namespace {

// A stream's timeout starts anew with each bit of progress: in pieces, so that a trickle meets the deadline.
constexpr std::size_t kPiece = 64 * 1024;

}  // namespace

io::Task<Result<>> Talk::say(std::string_view bytes) {
  while (!bytes.empty()) {
    if (Steady::now() >= deadline_) co_return fail(ErrorKind::Timeout, "timed out");
    const auto piece = bytes.substr(0, kPiece);
    bytes.remove_prefix(piece.size());
    auto written = co_await stream_.write(piece, left_until(deadline_));
    if (!written) co_return written;
  }
  co_return Result<>{};
}

io::Task<Result<std::string>> Talk::listen(std::size_t limit, std::optional<char> until) {
  std::string all;
  std::array<char, 16 * 1024> block;
  while (all.size() < limit) {
    if (Steady::now() >= deadline_) co_return fail(ErrorKind::Timeout, "timed out");
    const auto read = co_await stream_.read_some(block, left_until(deadline_));
    if (!read && read.error().kind == ErrorKind::Closed) break;
    if (!read) co_return std::unexpected(read.error());
    all.append(block.data(), *read);
    if (until && std::find(block.data(), block.data() + *read, *until) != block.data() + *read) break;
  }
  all.resize(std::min(all.size(), limit));
  co_return all;
}

}  // namespace posthaste::inspection
