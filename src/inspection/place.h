// Where a scanner listens, and getting a connection to it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "io/pool.h"
#include "io/stream.h"

namespace posthaste::inspection {

using Steady = std::chrono::steady_clock;

struct Place {
  std::string host;
  std::uint16_t port = 0;
  std::string path;  // of a UNIX socket; host and port then mean nothing

  std::string text() const;  // `127.0.0.1:783`, `/run/clamd.sock`
};

// As the configuration names it: a host or an address; `/run/clamd.sock` or `unix:/run/clamd.sock` is a UNIX socket.
Place place_of(std::string_view host, std::int64_t port);

// What is left until then; at least a moment, so that an operation fails by itself.
Duration left_until(Steady::time_point deadline);

// Opens connections to one place. Names are looked up as the system does it (hosts file, search domains: scanners stand
// beside us), on a thread of the pool, once a minute at most; while it is done again the last addresses serve.
class Dialer {
 public:
  Dialer(Place place, io::Pool& pool) : place_(std::move(place)), pool_(pool) {}

  io::Task<Result<io::Stream>> dial(Steady::time_point deadline);
  // For requests that somebody else sends: an address to send it to; the name if there is none.
  io::Task<std::string> address();
  const Place& place() const { return place_; }

 private:
  struct Known {
    std::mutex mutex;
    std::vector<IpAddress> addresses;
    Steady::time_point fresh_until{};
    bool looking = false;
  };
  io::Task<std::vector<IpAddress>> addresses();

  const Place place_;
  io::Pool& pool_;
  const std::shared_ptr<Known> known_ = std::make_shared<Known>();  // outlived by what runs on the pool
};

}  // namespace posthaste::inspection
