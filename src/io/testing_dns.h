// For tests: a name server on a UDP port of its own that answers what the test told it, and records as on the wire.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/network.h"
#include "base/strings.h"
#include "io/dns_wire.h"

namespace posthaste::io {

inline std::string number(unsigned value, int bytes) {
  std::string out;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xff);
  return out;
}

inline std::string wire_name(std::string_view name) {
  std::string out;
  for (const auto label : split(name, '.')) {
    if (!label.empty()) out += static_cast<char>(label.size()) + std::string(label);
  }
  return out + '\0';
}

inline std::string mx_data(unsigned preference, std::string_view host) {
  return number(preference, 2) + wire_name(host);
}
inline std::string ip_data(std::string_view text) {
  const IpAddress ip = *IpAddress::parse(text);
  return std::string(ip.bytes.begin(), ip.bytes.begin() + (ip.v6 ? 16 : 4));
}
inline std::string txt_data(std::string_view text) { return static_cast<char>(text.size()) + std::string(text); }

class NameServer {
 public:
  NameServer() {
    socket_ = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ::bind(socket_, reinterpret_cast<sockaddr*>(&address), length);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](std::stop_token stop) { serve(stop); });
  }
  ~NameServer() {
    thread_.request_stop();
    thread_.join();
    ::close(socket_);
  }

  void set(const std::string& name, int type, std::vector<std::string> rdata, unsigned ttl = 300) {
    std::lock_guard lock(mutex_);
    records_[{name, type}] = {std::move(rdata), ttl};
  }
  void fail(const std::string& name, int rcode) {
    std::lock_guard lock(mutex_);
    failures_[name] = rcode;
  }
  void drop(const std::string& name) { fail(name, -1); }
  void heal(const std::string& name) {
    std::lock_guard lock(mutex_);
    failures_.erase(name);
  }
  void send_soa(bool on) { soa_ = on; }
  int asked(const std::string& name) {
    std::lock_guard lock(mutex_);
    return asked_[name];
  }
  std::string address() const { return fmt::format("127.0.0.1@{}", port_); }

 private:
  struct Records {
    std::vector<std::string> rdata;
    unsigned ttl;
  };

  void serve(std::stop_token stop) {
    while (!stop.stop_requested()) {
      pollfd ready{socket_, POLLIN, 0};
      if (::poll(&ready, 1, 20) <= 0) continue;
      std::array<char, 2048> buffer;
      sockaddr_in from{};
      socklen_t length = sizeof from;
      const ssize_t got =
          ::recvfrom(socket_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
      if (got < 17) continue;
      const std::string reply = answer(std::string(buffer.data(), static_cast<std::size_t>(got)));
      if (!reply.empty()) ::sendto(socket_, reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from), length);
    }
  }

  std::string answer(const std::string& query) {
    const std::size_t end = query.find('\0', 12);
    const std::string question = query.substr(12, end + 5 - 12);
    std::string name = *parse_name(question.substr(0, question.size() - 4));
    const int type = static_cast<unsigned char>(query[end + 2]);
    std::lock_guard lock(mutex_);
    ++asked_[name];
    std::string answers;
    int count = 0, rcode = 0;
    for (int hop = 0; hop < 8; ++hop) {
      if (const auto failure = failures_.find(name); failure != failures_.end()) {
        if (failure->second < 0) return {};
        rcode = failure->second;
        break;
      }
      const bool found = records_.contains({name, type});
      const auto it = records_.find({name, found ? type : dns_type::kCname});
      if (it == records_.end()) {
        const bool known = std::ranges::any_of(records_, [&](const auto& entry) { return entry.first.first == name; });
        if (!known) rcode = 3;
        break;
      }
      for (const auto& rdata : it->second.rdata) {
        answers += wire_name(name) + number(static_cast<unsigned>(it->first.second), 2) + number(1, 2) +
                   number(it->second.ttl, 4) + number(static_cast<unsigned>(rdata.size()), 2) + rdata;
        ++count;
      }
      if (found) break;
      name = *parse_name(it->second.rdata.front());
    }
    std::string authority;
    if (count == 0 && soa_) {
      const std::string soa = wire_name("ns.test") + wire_name("root.test") + number(1, 4) + number(3600, 4) +
                              number(600, 4) + number(86400, 4) + number(300, 4);
      authority = wire_name("test") + number(6, 2) + number(1, 2) + number(300, 4) +
                  number(static_cast<unsigned>(soa.size()), 2) + soa;
    }
    return query.substr(0, 2) + number(0x8580 | static_cast<unsigned>(rcode), 2) + number(1, 2) +
           number(static_cast<unsigned>(count), 2) + number(authority.empty() ? 0 : 1, 2) + number(0, 2) + question +
           answers + authority;
  }

  int socket_ = -1;
  int port_ = 0;
  std::mutex mutex_;
  std::map<std::pair<std::string, int>, Records> records_;
  std::map<std::string, int> failures_;
  std::map<std::string, int> asked_;
  std::atomic<bool> soa_ = false;
  std::jthread thread_;
};

}  // namespace posthaste::io
