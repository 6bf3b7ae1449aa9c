// For tests: a web server on a loopback port of its own that gives every request the same bytes, or none.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace posthaste::io {

class ScriptedHttpServer {
 public:
  static constexpr std::string_view kHangUp = "hang up";

  // Empty: reads and is silent. kHangUp: reads and closes.
  explicit ScriptedHttpServer(std::string_view answer) : answer_(answer) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), length);
    ::listen(listener_, 128);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](std::stop_token stop) { serve(stop); });
  }
  ~ScriptedHttpServer() {
    thread_.request_stop();
    thread_.join();
    for (const int fd : open_) ::close(fd);
    ::close(listener_);
  }

  std::uint16_t port() const { return port_; }
  std::string url(std::string_view target) const { return fmt::format("http://127.0.0.1:{}{}", port_, target); }
  std::vector<std::string> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  static bool readable(int fd, std::stop_token& stop) {
    pollfd ready{fd, POLLIN, 0};
    while (!stop.stop_requested()) {
      if (::poll(&ready, 1, 20) > 0) return true;
    }
    return false;
  }

  // The bytes of one request; what ends before is what there was.
  static std::string read_request(int fd, std::stop_token& stop) {
    std::string bytes;
    char buffer[4096];
    while (readable(fd, stop)) {
      const auto count = ::recv(fd, buffer, sizeof buffer, 0);
      if (count <= 0) break;
      bytes.append(buffer, static_cast<std::size_t>(count));
      const auto end = bytes.find("\r\n\r\n");
      if (end == std::string::npos) {
        if (bytes[0] == '\x16') break;  // a TLS client
        continue;
      }
      std::size_t length = 0;
      if (const auto at = bytes.find("Content-Length: "); at < end)
        std::from_chars(bytes.data() + at + 16, bytes.data() + end, length);
      if (bytes.size() >= end + 4 + length) break;
    }
    return bytes;
  }

  void serve(std::stop_token stop) {
    while (readable(listener_, stop)) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      auto request = read_request(fd, stop);
      {
        std::lock_guard lock(mutex_);
        requests_.push_back(std::move(request));
      }
      if (!answer_.empty() && answer_ != kHangUp) (void)::send(fd, answer_.data(), answer_.size(), MSG_NOSIGNAL);
      if (answer_.empty()) {
        open_.push_back(fd);
      } else {
        ::close(fd);
      }
    }
  }

  const std::string answer_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::string> requests_;
  std::vector<int> open_;
  std::jthread thread_;
};

}  // namespace posthaste::io
