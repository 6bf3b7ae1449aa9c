#include "inspection/place.h"

#include <arpa/inet.h>
#include <netdb.h>

namespace posthaste::inspection {

namespace {

constexpr auto kFresh = 60s;

std::vector<IpAddress> look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return {};
  std::vector<IpAddress> found;
  for (const addrinfo* at = list; at; at = at->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0) continue;
    if (const auto address = IpAddress::parse(text)) found.push_back(*address);
  }
  ::freeaddrinfo(list);
  return found;
}

}  // namespace

std::string Place::text() const {
  if (!path.empty()) return path;
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

Place place_of(std::string_view host, std::int64_t port) {
  Place place;
  if (host.starts_with("unix:")) {
    place.path = host.substr(5);
  } else if (host.starts_with('/')) {
    place.path = host;
  } else {
    place.host = host;
    place.port = std::uint16_t(port);
  }
  return place;
}

Duration left_until(Steady::time_point deadline) {
  return std::max<Duration>(std::chrono::duration_cast<Duration>(deadline - Steady::now()), 1ms);
}

io::Task<std::vector<IpAddress>> Dialer::addresses() {
  std::vector<IpAddress> last;
  if (const auto literal = IpAddress::parse(place_.host)) {
    last.push_back(*literal);
    co_return last;
  }
  bool look = false;
  {
    std::lock_guard lock(known_->mutex);
    last = known_->addresses;
    look = Steady::now() >= known_->fresh_until && !known_->looking;
    if (look) known_->looking = true;
  }
  if (!look && !last.empty()) co_return last;
  auto work = [known = known_, host = place_.host] {
    auto found = look_up(host);
    std::lock_guard lock(known->mutex);
    known->looking = false;
    known->fresh_until = Steady::now() + kFresh;
    if (!found.empty()) known->addresses = std::move(found);
    return known->addresses;
  };
  if (!last.empty()) {
    pool_.post([work = std::move(work)]() mutable { work(); });
    co_return last;
  }
  co_return co_await pool_.run(std::move(work));
}

io::Task<std::string> Dialer::address() {
  const auto all = co_await addresses();
  co_return all.empty() ? place_.host : all.front().text();
}

io::Task<Result<io::Stream>> Dialer::dial(Steady::time_point deadline) {
  if (!place_.path.empty()) {
    std::string path = place_.path;
    co_return co_await io::Stream::connect_unix(std::move(path), left_until(deadline));
  }
  const auto all = co_await addresses();
  Result<io::Stream> last = fail(ErrorKind::Unavailable, "host not found", place_.host);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const io::Endpoint endpoint{all[i], place_.port};
    const Duration share = left_until(deadline) / std::int64_t(all.size() - i);
    last = co_await io::Stream::connect(endpoint, std::nullopt, share);
    if (last) break;
  }
  co_return last;
}

}  // namespace posthaste::inspection
