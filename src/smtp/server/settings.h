// How a listener behaves (smtp-server.md 2, 17.1, 18). Immutable while sessions use it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/network.h"
#include "base/time.h"

namespace posthaste::smtp::server {

struct Settings {
  enum class AuthPolicy { Optional, Required, Off };

  std::string name = "smtp";       // of the listener, in logs
  std::string host = "localhost";  // in banner, replies and Received
  std::string product = "Postal";  // in the banner
  bool tls_enabled = false;        // STARTTLS exists here; whether it can be had says the TLS material
  bool implicit_tls = false;       // TLS from the first byte (behind the PROXY header)
  bool tls_required = false;       // no mail in clear
  AuthPolicy auth = AuthPolicy::Optional;
  bool auth_requires_tls = false;  // but from loopback
  bool auth_plain = true, auth_login = true, auth_cram_md5 = true;
  bool proxy_protocol = false;
  std::vector<IpNetwork> proxy_trusted;  // empty: any peer may say for whom it speaks
  bool reject_bare_newlines = false;
  bool log_connections = false;
  bool enhanced_status_codes = true, chunking = true, pipelining = true, smtputf8 = true;

  std::size_t max_message_megabytes = 14;
  std::size_t max_header_size = 524288;
  std::size_t max_command_line = 2048, max_auth_line = 12288;
  std::size_t max_recipients = 1000, max_messages = 1000, max_errors = 20, max_auth_failures = 3;
  std::size_t max_connections = 10000, max_connections_per_ip = 100;
  std::size_t max_connections_per_credential = 500, connection_rate_per_ip = 300;  // a minute; 0: any
  std::size_t auth_failures_per_ip = 20;
  Duration auth_failure_window = 600s, auth_block_time = 900s;
  std::uint64_t inflight_memory_limit = 536870912;

  Duration command_timeout = 300s, first_command_timeout = 60s, data_timeout = 180s, write_timeout = 300s;
  Duration tls_handshake_timeout = 30s, proxy_header_timeout = 5s, max_session = 7200s;
  Duration reverse_dns_timeout = 2s;
  bool reverse_dns = true;
  double data_min_rate = 500;  // bytes a second; 0: any

  std::vector<IpNetwork> exempt_networks;               // from per-address limits and delays
  std::function<bool(const std::string& ip)> unlogged;  // addresses whose sessions leave no log lines; may be empty

  std::size_t max_message_size() const { return max_message_megabytes * 1048576; }
  bool exempt(const IpAddress& ip) const { return within(exempt_networks, ip); }
  bool trusts_proxy(const IpAddress& peer) const { return proxy_trusted.empty() || within(proxy_trusted, peer); }

 private:
  static bool within(const std::vector<IpNetwork>& networks, const IpAddress& ip) {
    for (const auto& network : networks)
      if (network.contains(ip)) return true;
    return false;
  }
};

}  // namespace posthaste::smtp::server
