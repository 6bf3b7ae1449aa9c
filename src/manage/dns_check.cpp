#include "manage/dns_check.h"

#include <algorithm>
#include <chrono>
#include <iterator>

#include "base/strings.h"

namespace posthaste::manage {

namespace {

constexpr std::size_t kMaximumIncludes = 10;  // RFC 7208 4.6.4
constexpr std::size_t kMaximumChain = 8;
constexpr std::size_t kMaximumServers = 4;

using Texts = io::DnsAnswer<std::string>;

bool could_not_ask(io::DnsStatus status) {
  return status == io::DnsStatus::ServFail || status == io::DnsStatus::Timeout;
}

std::string for_dns(std::string_view name) {
  auto ascii = to_ascii_domain(name);
  return ascii ? *ascii : std::string(name);
}

// `local` or the domain's own name servers.
struct Servers {
  io::Resolver* asked;
  std::unique_ptr<io::Resolver> own;
};

// The name servers of the domain or of the nearest parent that has some, never of the top-level label alone.
io::Task<Servers> servers_of(io::Resolver& local, const config::Config& config, std::string name,
                             const ResolverFactory& make) {
  Servers servers{&local, nullptr};
  if (config.postal.use_local_ns_for_domain_verification) co_return std::move(servers);
  io::ResolverOptions options;
  options.timeout = std::chrono::seconds(config.dns.timeout);
  while (name.contains('.') && options.servers.empty()) {
    auto hosts = co_await local.ns(name);
    for (std::size_t i = 0; i < hosts.records.size() && options.servers.size() < kMaximumServers; ++i) {
      auto addresses = co_await local.a(hosts.records[i]);
      for (const auto& address : addresses.records) options.servers.push_back(address.text());
    }
    name = name.substr(name.find('.') + 1);
  }
  if (options.servers.empty()) co_return std::move(servers);
  auto own = make(options);
  if (own) {
    servers.own = std::move(*own);
    servers.asked = servers.own.get();
  }
  co_return std::move(servers);
}

CheckedRecord unknown(DnsRecord record) {
  CheckedRecord checked;
  checked.record = std::move(record);
  checked.finding = {DnsState::Unknown, "The name servers did not answer."};
  return checked;
}

io::Task<CheckedRecord> check_spf(io::Resolver& asked, io::Resolver& local, const config::Config& config,
                                  DnsRecord record) {
  auto answer = co_await asked.txt(for_dns(record.name), true);
  if (could_not_ask(answer.status)) co_return unknown(std::move(record));
  CheckedRecord checked;
  checked.found = spf_records(answer.records);
  std::vector<std::string> included;
  checked.finding = judge_spf(answer.records, included, config.dns.spf_include);
  bool all_asked = true;
  if (checked.finding.state == DnsState::Invalid && checked.found.size() == 1) {
    auto names = spf_includes(checked.found.front());
    names.resize(std::min(names.size(), kMaximumIncludes));
    for (const auto& name : names) {
      auto nested = co_await local.txt(for_dns(name), true);
      if (could_not_ask(nested.status)) all_asked = false;
      for (auto& text : spf_records(nested.records)) included.push_back(std::move(text));
    }
    checked.finding = judge_spf(answer.records, included, config.dns.spf_include);
  }
  // Ours may be behind the include that nobody could be asked about.
  if (!all_asked && checked.finding.state == DnsState::Invalid) co_return unknown(std::move(record));
  checked.record = std::move(record);
  co_return std::move(checked);
}

// One TXT look-up and a rule for what it finds.
template <class Judge>
io::Task<CheckedRecord> check_txt(io::Resolver& asked, DnsRecord record, Judge judge) {
  auto answer = co_await asked.txt(for_dns(record.name), true);
  if (could_not_ask(answer.status)) co_return unknown(std::move(record));
  CheckedRecord checked;
  checked.finding = judge(answer.records, record);
  checked.found = std::move(answer.records);
  checked.record = std::move(record);
  co_return std::move(checked);
}

// The CNAME at the name and what it leads to.
struct Chain {
  std::vector<std::string> targets;
  bool asked = true;
};
io::Task<Chain> cname_chain(io::Resolver& asked, io::Resolver& local, std::string name, std::string_view goal) {
  Chain chain;
  auto* resolver = &asked;
  while (chain.targets.size() < kMaximumChain) {
    auto answer = co_await resolver->cname(for_dns(name), true);
    if (could_not_ask(answer.status)) {
      chain.asked = !chain.targets.empty();  // what is beyond the first target is a courtesy
      break;
    }
    if (answer.records.empty()) break;
    name = to_lower(answer.records.front());
    chain.targets.push_back(name);
    if (same_name(name, goal)) break;
    resolver = &local;  // other names may lie elsewhere
  }
  co_return std::move(chain);
}

io::Task<CheckedRecord> check_cname(io::Resolver& asked, io::Resolver& local, DnsRecord record, std::string_view what) {
  auto chain = co_await cname_chain(asked, local, record.name, record.value);
  if (!chain.asked) co_return unknown(std::move(record));
  CheckedRecord checked;
  checked.finding = judge_cname(chain.targets, record.name, record.value, what);
  checked.found = std::move(chain.targets);
  checked.record = std::move(record);
  co_return std::move(checked);
}

// Without a CNAME mail for the return path may come to us by MX or address records of its own.
io::Task<bool> leads_to_us(io::Resolver& asked, io::Resolver& local, const config::Config& config, DnsRecord record) {
  auto mx = co_await asked.mx(for_dns(record.name), true);
  if (could_not_ask(mx.status)) co_return false;
  if (!mx.records.empty()) {
    std::vector<std::string> hosts;
    for (auto& entry : mx.records) hosts.push_back(std::move(entry.host));
    co_return judge_mx(hosts, record.name, config.dns.mx_records).state == DnsState::Ok;
  }
  auto theirs = co_await asked.a(for_dns(record.name));
  auto ours = co_await local.a(for_dns(record.value));
  co_return !theirs.records.empty() && std::ranges::all_of(theirs.records, [&](const auto& address) {
    return std::ranges::find(ours.records, address) != ours.records.end();
  });
}

io::Task<CheckedRecord> check_return_path(io::Resolver& asked, io::Resolver& local, const config::Config& config,
                                          DnsRecord record) {
  auto checked = co_await check_cname(asked, local, record, "return path record");
  if (checked.finding.state != DnsState::Missing) co_return std::move(checked);
  bool ours = co_await leads_to_us(asked, local, config, record);
  if (ours) checked.finding = {DnsState::Ok, ""};
  co_return std::move(checked);
}

// One look-up answers for all of dns.mx_records; each record says whether its host is there.
io::Task<std::vector<CheckedRecord>> check_mx(io::Resolver& asked, const config::Config& config, std::string domain,
                                              std::vector<DnsRecord> records) {
  std::vector<CheckedRecord> checked;
  auto answer = co_await asked.mx(for_dns(domain), true);
  std::vector<std::string> hosts;
  for (auto& entry : answer.records) hosts.push_back(std::move(entry.host));
  auto finding = judge_mx(hosts, domain, config.dns.mx_records);
  for (auto& record : records) {
    if (could_not_ask(answer.status)) {
      checked.push_back(unknown(std::move(record)));
      continue;
    }
    auto& entry = checked.emplace_back();
    entry.record = std::move(record);
    entry.found = hosts;
    entry.finding = finding;
  }
  co_return std::move(checked);
}

std::vector<DnsRecord> take_mx(std::vector<DnsRecord>& records) {
  std::vector<DnsRecord> mx;
  std::ranges::copy_if(records, std::back_inserter(mx), [](const auto& r) { return r.purpose == "mx"; });
  std::erase_if(records, [](const auto& r) { return r.purpose == "mx"; });
  return mx;
}

io::Task<CheckedRecord> check_record(io::Resolver& asked, io::Resolver& local, const config::Config& config,
                                     DnsRecord record) {
  if (record.purpose == "spf") {
    auto task = check_spf(asked, local, config, std::move(record));
    co_return co_await std::move(task);
  }
  if (record.purpose == "return-path") {
    auto task = check_return_path(asked, local, config, std::move(record));
    co_return co_await std::move(task);
  }
  using Records = std::vector<std::string>;
  auto judge =
      record.purpose == "dkim"
          ? +[](const Records& texts, const DnsRecord& r) { return judge_dkim(texts, r.name, r.value); }
      : record.purpose == "dmarc"
          ? +[](const Records& texts, const DnsRecord& r) { return judge_dmarc(texts, r.name); }
          : +[](const Records& texts, const DnsRecord& r) { return judge_verification(texts, r.name, r.value); };
  auto task = check_txt(asked, std::move(record), judge);
  co_return co_await std::move(task);
}

io::Task<> check_tracks(io::Resolver& asked, io::Resolver& local, const config::Config& config, DomainCheck& check) {
  for (std::size_t i = 0; i < check.domain.track_domains.size(); ++i) {
    auto track = check.domain.track_domains[i];
    auto record = track_domain_record(config, track.name, check.domain.names.name);
    auto checked = co_await check_cname(asked, local, record, "record");
    checked.track_domain_id = track.id;
    check.records.push_back(std::move(checked));
  }
}

}  // namespace

io::Task<DomainCheck> check_domain(io::Resolver& resolver, const config::Config& config, DomainToCheck domain,
                                   ResolverFactory own) {
  DomainCheck check;
  auto name = for_dns(domain.names.name);
  auto servers = co_await servers_of(resolver, config, name, own);
  auto records = dns_records(config, domain.names);
  auto mx_records = take_mx(records);
  check.domain = std::move(domain);
  for (std::size_t i = 0; i < records.size(); ++i) {
    auto checked = co_await check_record(*servers.asked, resolver, config, records[i]);
    check.records.push_back(std::move(checked));
  }
  auto mx = co_await check_mx(*servers.asked, config, check.domain.names.name, std::move(mx_records));
  std::ranges::move(mx, std::back_inserter(check.records));
  co_await check_tracks(*servers.asked, resolver, config, check);
  co_return std::move(check);
}

io::Task<DomainCheck> check_track_domains(io::Resolver& resolver, const config::Config& config, DomainToCheck domain,
                                          ResolverFactory own) {
  DomainCheck check;
  check.domain = std::move(domain);
  auto name = for_dns(check.domain.names.name);
  auto servers = co_await servers_of(resolver, config, name, own);
  co_await check_tracks(*servers.asked, resolver, config, check);
  co_return std::move(check);
}

}  // namespace posthaste::manage
