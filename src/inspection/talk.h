// One conversation with a scanner: a connection, and one deadline for all that is said over it.
#pragma once

#include <string>
#include <string_view>

#include "inspection/place.h"

namespace posthaste::inspection {

class Talk {
 public:
  Talk(io::Stream stream, Steady::time_point deadline) : stream_(std::move(stream)), deadline_(deadline) {}

  // The bytes must stay until the end.
  io::Task<Result<>> say(std::string_view bytes);
  void end_sending() { stream_.end_sending(); }
  // Everything up to the end of the connection, or `until` (included), or `limit` bytes.
  io::Task<Result<std::string>> listen(std::size_t limit, std::optional<char> until = {});

 private:
  io::Stream stream_;
  Steady::time_point deadline_;
};

}  // namespace posthaste::inspection
