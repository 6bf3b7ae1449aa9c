#include "io/hosts_file.h"

#include <fstream>
#include <sstream>

#include "base/strings.h"

namespace posthaste::io {

using namespace std::chrono_literals;

namespace {
constexpr auto kLookAgain = 1s;
constexpr std::size_t kMostHosts = 100'000;
}  // namespace

std::vector<IpAddress> HostsFile::find(std::string_view host) {
  const std::string name = to_lower(host);
  std::lock_guard lock(mutex_);
  if (std::chrono::steady_clock::now() >= look_again_) refresh();
  std::vector<IpAddress> found;
  const auto [first, last] = hosts_.equal_range(name);
  for (auto at = first; at != last; ++at) found.push_back(at->second);
  if (found.empty() && name == "localhost") found = {*IpAddress::parse("127.0.0.1"), *IpAddress::parse("::1")};
  return found;
}

void HostsFile::refresh() {
  look_again_ = std::chrono::steady_clock::now() + kLookAgain;
  std::error_code missing;
  const auto written = std::filesystem::last_write_time(path_, missing);
  if (missing) return hosts_.clear();
  if (written == written_) return;
  written_ = written;
  hosts_.clear();
  std::ifstream file(path_);
  for (std::string line; std::getline(file, line) && hosts_.size() < kMostHosts;) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string address, name;
    words >> address;
    const auto ip = IpAddress::parse(address);
    while (ip && words >> name) hosts_.emplace(to_lower(name), *ip);
  }
}

}  // namespace posthaste::io
