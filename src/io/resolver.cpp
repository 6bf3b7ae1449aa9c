#include "io/resolver.h"

#include <utility>

#include "base/strings.h"
#include "io/dns_cache.h"
#include "io/dns_wire.h"
#include "io/oneshot.h"
#include "io/resolv_conf.h"
#include "io/unbound.h"

namespace posthaste::io {
namespace {

// One spelling for each name: lower case, no trailing dot.
std::string canonical(std::string name) {
  if (name.ends_with('.')) name.pop_back();
  return to_lower(name);
}

// Not every text is a name; what is left of the rules, libunbound knows.
bool may_exist(std::string_view name) {
  return !name.empty() && std::ranges::none_of(name, [](unsigned char c) { return c <= ' ' || c == 0x7f; });
}

bool failed(DnsStatus status) { return status == DnsStatus::ServFail || status == DnsStatus::Timeout; }

// Records that break the format are left out; an answer with no other is a broken answer.
template <class T>
DnsAnswer<T> to_answer(const DnsReply& reply, std::optional<T> (*parse)(std::string_view)) {
  DnsAnswer<T> answer;
  answer.status = reply.status;
  answer.secure = reply.secure;
  for (const auto& rdata : reply.rdata) {
    if (auto record = parse(rdata)) answer.records.push_back(std::move(*record));
  }
  if (answer.ok() && answer.records.empty()) answer.status = DnsStatus::ServFail;
  return answer;
}

class UnboundResolver final : public Resolver {
 public:
  explicit UnboundResolver(std::unique_ptr<Unbound> unbound) : unbound_(std::move(unbound)) {}

  Task<DnsAnswer<MxRecord>> mx(std::string name, bool fresh) override {
    return query(std::move(name), dns_type::kMx, fresh, parse_mx);
  }
  Task<DnsAnswer<IpAddress>> a(std::string name) override {
    return query(std::move(name), dns_type::kA, false, parse_address);
  }
  Task<DnsAnswer<IpAddress>> aaaa(std::string name) override {
    return query(std::move(name), dns_type::kAaaa, false, parse_address);
  }
  Task<DnsAnswer<std::string>> txt(std::string name, bool fresh) override {
    return query(std::move(name), dns_type::kTxt, fresh, parse_txt);
  }
  Task<DnsAnswer<std::string>> cname(std::string name, bool fresh) override {
    return query(std::move(name), dns_type::kCname, fresh, parse_name);
  }
  Task<DnsAnswer<std::string>> ns(std::string name) override {
    return query(std::move(name), dns_type::kNs, false, parse_name);
  }
  Task<DnsAnswer<std::string>> ptr(IpAddress address) override {
    return query(address.reverse_name(), dns_type::kPtr, false, parse_name);
  }

 private:
  template <class T>
  Task<DnsAnswer<T>> query(std::string name, int type, bool fresh, std::optional<T> (*parse)(std::string_view)) {
    const auto cache = cache_;  // the resolver may be gone when the answer comes
    name = canonical(std::move(name));
    if (!may_exist(name)) co_return DnsAnswer<T>{.status = DnsStatus::NxDomain};
    if (!fresh) {
      const auto kept = cache->find(name, type, std::chrono::steady_clock::now());
      if (kept) co_return to_answer(*kept, parse);
    }
    OneShot<DnsCache::Reply> answered;
    unbound_->ask(name, type, [send = answered.sender()](DnsReply reply) mutable {
      send(std::make_shared<const DnsReply>(std::move(reply)));
    });
    const DnsCache::Reply reply = co_await answered;
    if (!fresh || !failed(reply->status)) cache->keep(name, type, reply, std::chrono::steady_clock::now());
    co_return to_answer(*reply, parse);
  }

  std::shared_ptr<DnsCache> cache_ = std::make_shared<DnsCache>();
  std::unique_ptr<Unbound> unbound_;
};

}  // namespace

std::string_view to_text(DnsStatus status) {
  switch (status) {
    case DnsStatus::Ok:
      return "NOERROR";
    case DnsStatus::NoData:
      return "NODATA";
    case DnsStatus::NxDomain:
      return "NXDOMAIN";
    case DnsStatus::ServFail:
      return "SERVFAIL";
    case DnsStatus::Timeout:
      return "timeout";
  }
  return "SERVFAIL";
}

Result<std::unique_ptr<Resolver>> make_resolver(const ResolverOptions& options) {
  std::vector<std::string> servers = options.servers;
  for (const auto& server : servers) {
    if (!is_name_server(server)) return fail(ErrorKind::Invalid, "not the address of a name server: " + server);
  }
  if (servers.empty()) {
    auto found = read_name_servers(options.resolv_conf_path);
    if (!found) return std::unexpected(found.error());
    servers = std::move(*found);
  }
  auto unbound = Unbound::start(servers, options.timeout);
  if (!unbound) return std::unexpected(unbound.error());
  return std::make_unique<UnboundResolver>(std::move(*unbound));
}

}  // namespace posthaste::io
