#include "delivery/routing.h"

#include <memory>

#include "base/random.h"
#include "base/strings.h"
#include "io/loop.h"
#include "io/oneshot.h"
#include "policy/reply_verdict.h"

namespace posthaste::delivery {

namespace {

constexpr std::size_t kMostHosts = 40;  // of an MX answer; nobody has more for good reasons

// Fisher-Yates: every order of the range is as likely as any other.
template <class Iterator>
void shuffle(Iterator first, Iterator last) {
  for (auto count = std::size_t(last - first); count > 1; --count) {
    std::swap(first[std::ptrdiff_t(random_below(count))], first[std::ptrdiff_t(count - 1)]);
  }
}

// By preference, equal ones in random order.
void sort_by_preference(std::vector<io::MxRecord>& records) {
  std::ranges::stable_sort(records, {}, &io::MxRecord::preference);
  for (auto from = records.begin(); from != records.end();) {
    const auto to = std::find_if(from, records.end(), [&](const auto& r) { return r.preference != from->preference; });
    shuffle(from, to);
    from = to;
  }
}

struct Lookup {
  std::vector<IpAddress> addresses;
  bool failed = false;  // neither answer said for sure
};

io::Task<Lookup> look_up(io::Resolver& resolver, std::string name) {
  if (const auto literal = IpAddress::parse(name)) co_return Lookup{{*literal}, false};
  auto v6 = co_await resolver.aaaa(name);
  auto v4 = co_await resolver.a(name);
  Lookup found;
  if (v6.ok()) found.addresses = std::move(v6.records);
  if (v4.ok()) std::ranges::move(v4.records, std::back_inserter(found.addresses));
  const auto unsure = [](io::DnsStatus s) { return s == io::DnsStatus::ServFail || s == io::DnsStatus::Timeout; };
  found.failed = found.addresses.empty() && (unsure(v6.status) || unsure(v4.status));
  co_return found;
}

// Answers of look-ups that run at the same time.
struct Gathering {
  std::vector<Lookup> answers;
  std::size_t missing = 0;
  std::move_only_function<void(bool)> done;
};

io::Task<> gather_one(io::Resolver& resolver, std::string name, std::shared_ptr<Gathering> all, std::size_t index) {
  try {
    Lookup answer = co_await look_up(resolver, std::move(name));
    all->answers[index] = std::move(answer);
  } catch (const std::exception&) {
    all->answers[index].failed = true;
  }
  if (--all->missing == 0) all->done(true);
}

io::Task<std::vector<Lookup>> look_up_all(io::Resolver& resolver, std::vector<std::string> names) {
  if (names.empty()) co_return std::vector<Lookup>();
  auto all = std::make_shared<Gathering>();
  all->answers.resize(names.size());
  all->missing = names.size();
  io::OneShot<bool> done;
  all->done = done.sender();
  for (std::size_t i = 0; i < names.size(); ++i) {
    io::Loop::current()->spawn(gather_one(resolver, names[i], all, i), "address look-up");
  }
  co_await done;
  co_return std::move(all->answers);
}

NoHosts lookup_failed(const std::string& domain, io::DnsStatus status) {
  return {NoHosts::Why::LookupFailed,
          "DNS lookup failed for " + domain + " (" + std::string(io::to_text(status)) + ")."};
}

io::Task<Routing> route_to_relays(io::Resolver& resolver, std::vector<config::Relay> relays) {
  std::vector<std::string> names;
  for (const auto& relay : relays) names.push_back(to_ascii_domain(relay.host).value_or(relay.host));
  auto found = co_await look_up_all(resolver, std::move(names));
  Hosts hosts;
  for (std::size_t i = 0; i < relays.size(); ++i) {
    const auto tls = smtp::client::tls_mode(relays[i].ssl_mode).value_or(smtp::client::TlsMode::Auto);
    hosts.hosts.push_back({relays[i].host, std::uint16_t(relays[i].port), std::move(found[i].addresses), tls,
                           relays[i].username, relays[i].password});
  }
  co_return Routing(std::move(hosts));
}

// `[192.0.2.1]`, `[IPv6:2001:db8::1]`
std::optional<IpAddress> address_literal(std::string_view domain) {
  if (domain.size() < 3 || domain.front() != '[' || domain.back() != ']') return std::nullopt;
  auto text = domain.substr(1, domain.size() - 2);
  if (istarts_with(text, "IPv6:")) text.remove_prefix(5);
  return IpAddress::parse(text);
}

NoHosts loop(const std::string& domain) {
  return {NoHosts::Why::Loop, "Mail for " + domain + " loops back to this server."};
}

io::Task<Routing> route_to_domain_itself(io::Resolver& resolver, std::string name, std::string domain,
                                         RoutingRules rules) {
  Lookup found = co_await look_up(resolver, name);
  if (found.failed) co_return Routing(lookup_failed(domain, io::DnsStatus::ServFail));
  const auto ours = [&](const IpAddress& a) { return rules.own.listens_on(a, 25); };
  const bool is_loop = rules.own.is(name) || std::ranges::any_of(found.addresses, ours);
  if (is_loop && !rules.domain_is_ours) co_return Routing(loop(domain));
  Hosts hosts;
  hosts.hosts.push_back({domain, 25, std::move(found.addresses)});
  co_return Routing(std::move(hosts));
}

io::Task<Routing> route_to_mx(io::Resolver& resolver, std::vector<io::MxRecord> records, std::string domain,
                              RoutingRules rules) {
  sort_by_preference(records);
  if (records.size() > kMostHosts) records.resize(kMostHosts);
  std::vector<std::string> names;
  for (const auto& record : records) names.push_back(record.host);
  const auto found = co_await look_up_all(resolver, std::move(names));

  // RFC 5321 5.1: hosts that are no better than ourselves would only send it back.
  std::optional<std::uint16_t> own;
  for (std::size_t i = 0; i < records.size() && !rules.domain_is_ours; ++i) {
    const auto ours = [&](const IpAddress& a) { return rules.own.listens_on(a, 25); };
    if (!rules.own.is(records[i].host) && !std::ranges::any_of(found[i].addresses, ours)) continue;
    own = std::min(own.value_or(records[i].preference), records[i].preference);
  }
  Hosts hosts;
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (own && records[i].preference >= *own) continue;
    hosts.hosts.push_back({records[i].host, 25, found[i].addresses});
  }
  if (own && hosts.hosts.empty()) co_return Routing(loop(domain));
  co_return Routing(std::move(hosts));
}

}  // namespace

io::Task<Routing> route(io::Resolver& resolver, std::string domain, RoutingRules rules) {
  if (!rules.relays.empty()) co_return co_await route_to_relays(resolver, std::move(rules.relays));
  if (const auto literal = address_literal(domain)) {
    if (rules.own.listens_on(*literal, 25) && !rules.domain_is_ours) co_return Routing(loop(domain));
    Hosts hosts;
    hosts.hosts.push_back({literal->text(), 25, {*literal}});
    co_return Routing(std::move(hosts));
  }
  const auto name = to_ascii_domain(domain);
  if (!name || name->empty() || name->front() == '[') {
    co_return Routing(
        NoHosts{NoHosts::Why::BadDomain, "The recipient domain " + domain + " is not a valid domain name."});
  }

  auto mx = co_await resolver.mx(to_lower(*name));
  switch (mx.status) {
    case io::DnsStatus::ServFail:
    case io::DnsStatus::Timeout:
      co_return Routing(lookup_failed(domain, mx.status));
    case io::DnsStatus::NxDomain:
      co_return Routing(NoHosts{NoHosts::Why::NoSuchDomain, policy::no_servers_details(domain, {})});
    case io::DnsStatus::NoData:
      co_return co_await route_to_domain_itself(resolver, to_lower(*name), domain, std::move(rules));
    case io::DnsStatus::Ok:
      break;
  }
  if (mx.records.size() == 1 && mx.records.front().host.empty()) {
    co_return Routing(NoHosts{NoHosts::Why::NullMx, "The domain " + domain + " does not accept mail (null MX)."});
  }
  // A name is asked for, so an address is a mistake of the zone, and so is a null MX among others.
  std::erase_if(mx.records, [](const auto& r) { return r.host.empty() || IpAddress::parse(r.host).has_value(); });
  co_return co_await route_to_mx(resolver, std::move(mx.records), std::move(domain), std::move(rules));
}

io::Task<Routing> route_to_host(io::Resolver& resolver, Destination destination, std::vector<IpAddress> known) {
  Lookup found{std::move(known), false};
  if (found.addresses.empty()) {
    std::string name = to_lower(to_ascii_domain(destination.name).value_or(destination.name));
    found = co_await look_up(resolver, std::move(name));
  }
  Hosts hosts;
  if (!found.addresses.empty())
    hosts.hosts.push_back({destination.name, destination.port, std::move(found.addresses), destination.tls});
  co_return Routing(std::move(hosts));
}

std::string lane_domain(std::string_view domain) {
  return to_lower(to_ascii_domain(domain).value_or(std::string(domain)));
}

}  // namespace posthaste::delivery
