// DNS questions and answers. The interface is for tests and the world; UnboundResolver is the real one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/network.h"
#include "base/result.h"
#include "base/time.h"
#include "io/task.h"

namespace posthaste::io {

enum class DnsStatus {
  Ok,        // records of the type (aliases followed)
  NoData,    // the name exists, not with this type
  NxDomain,  // the name does not exist
  ServFail,  // SERVFAIL, REFUSED, bogus signatures, broken answer
  Timeout,   // nobody answered within dns.timeout
};
// `NXDOMAIN`, `SERVFAIL`, `timeout`, ... for texts
std::string_view to_text(DnsStatus status);

template <class T>
struct DnsAnswer {
  DnsStatus status = DnsStatus::ServFail;
  std::vector<T> records;
  bool secure = false;  // DNSSEC validated
  bool ok() const { return status == DnsStatus::Ok; }
};

struct MxRecord {
  std::uint16_t preference = 0;
  std::string host;  // lower case, no trailing dot; empty: null MX (RFC 7505)
};

class Resolver {
 public:
  virtual ~Resolver() = default;
  // Names are absolute, A-labels; no search list is ever used. `fresh` asks the name servers whatever the cache holds.
  virtual Task<DnsAnswer<MxRecord>> mx(std::string name, bool fresh = false) = 0;
  virtual Task<DnsAnswer<IpAddress>> a(std::string name) = 0;
  virtual Task<DnsAnswer<IpAddress>> aaaa(std::string name) = 0;
  virtual Task<DnsAnswer<std::string>> txt(std::string name, bool fresh = false) = 0;  // strings of a record joined
  virtual Task<DnsAnswer<std::string>> cname(std::string name, bool fresh = false) = 0;
  virtual Task<DnsAnswer<std::string>> ns(std::string name) = 0;
  virtual Task<DnsAnswer<std::string>> ptr(IpAddress address) = 0;
};

// libunbound: caching, asynchronous. Forwards to the name servers of resolv.conf (dns.resolv_conf_path).
struct ResolverOptions {
  std::string resolv_conf_path = "/etc/resolv.conf";
  std::vector<std::string> servers;  // instead of the file: `address` or `address@port`
  Duration timeout = std::chrono::seconds(5);
};
// Fails with Invalid when the file is missing or names no server. One resolver serves all loops.
Result<std::unique_ptr<Resolver>> make_resolver(const ResolverOptions& options);

}  // namespace posthaste::io
