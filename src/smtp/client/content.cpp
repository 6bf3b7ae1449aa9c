#include "smtp/client/content.h"

#include <algorithm>
#include <string>

#include "smtp/proto/dot_stuffing.h"

namespace posthaste::smtp::client {

namespace {

using Views = std::vector<std::string_view>;

// What is encoded and written at once. Bounds the list of views, whatever the message looks like, and lets most
// messages go out in one write.
constexpr std::size_t kStretch = 128 * 1024;
// Many tiny views cost more than copying what they show.
constexpr std::size_t kManyViews = 64;
constexpr std::size_t kTinyView = 512;

Views stretches(const Views& pieces) {
  Views out;
  for (auto piece : pieces) {
    for (; !piece.empty(); piece.remove_prefix(std::min(kStretch, piece.size())))
      out.push_back(piece.substr(0, kStretch));
  }
  return out;
}

std::size_t total(const Views& views) {
  std::size_t bytes = 0;
  for (auto view : views) bytes += view.size();
  return bytes;
}

io::Task<Result<>> write_views(Channel& channel, const Views& views, Duration timeout) {
  const std::size_t bytes = total(views);
  if (views.size() <= kManyViews || bytes / views.size() >= kTinyView)
    co_return co_await channel.write_all(views, timeout);
  std::string joined;
  joined.reserve(bytes);
  for (auto view : views) joined += view;
  co_return co_await channel.write(joined, timeout);
}

}  // namespace

io::Task<ContentWritten> write_content(Channel& channel, Views pieces, std::function<void()> before_dot,
                                       Duration timeout) {
  proto::DotStuffing stuffing;
  Views views;
  std::size_t waiting = 0;
  const Views all = stretches(pieces);
  for (auto stretch : all) {
    if (waiting > 0 && waiting + stretch.size() > kStretch) {
      auto written = co_await write_views(channel, views, timeout);
      if (!written) co_return ContentWritten{std::move(written), false};
      views.clear();
      waiting = 0;
    }
    stuffing.encode(stretch, views);
    waiting += stretch.size();
  }
  stuffing.finish(views);
  views.push_back(proto::kEndOfData);
  if (before_dot) before_dot();
  auto written = co_await write_views(channel, views, timeout);
  co_return ContentWritten{std::move(written), true};
}

}  // namespace posthaste::smtp::client
