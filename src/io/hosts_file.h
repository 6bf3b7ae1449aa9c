// /etc/hosts, read anew when it has changed.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/network.h"

namespace posthaste::io {

class HostsFile {
 public:
  explicit HostsFile(std::string path = "/etc/hosts") : path_(std::move(path)) {}

  // Its addresses in the order of the file; none if the name is not there. `localhost` always has its own. Any thread.
  std::vector<IpAddress> find(std::string_view host);

 private:
  void refresh();

  const std::string path_;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point look_again_{};
  std::filesystem::file_time_type written_{};
  std::multimap<std::string, IpAddress, std::less<>> hosts_;
};

}  // namespace posthaste::io
