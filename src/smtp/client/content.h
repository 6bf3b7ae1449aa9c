// Sends a message behind DATA: encoded on the way, not copied, with the final dot at the end.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "smtp/client/channel.h"

namespace posthaste::smtp::client {

struct ContentWritten {
  Result<> result;
  bool dot_sent = false;  // the write that brings the final dot was begun
};

io::Task<ContentWritten> write_content(Channel& channel, std::vector<std::string_view> pieces,
                                       std::function<void()> before_dot, Duration timeout);

}  // namespace posthaste::smtp::client
