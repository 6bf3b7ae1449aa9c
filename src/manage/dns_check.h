// Looks the records of domains up and stores what it found (data-model.md 5.2 to 5.5).
//
//   for (auto& domain : domains_to_check(context, "example.com")) {                      // blocks
//     auto check = co_await check_domain(resolver, config, std::move(domain));           // on a loop
//     store_domain_check(context, check);                                                // blocks
//   }
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/resolver.h"
#include "io/task.h"
#include "manage/dns_records.h"
#include "manage/dns_rules.h"
#include "manage/work.h"

namespace posthaste::manage {

struct DomainToCheck {
  Id id = 0;
  store::OwnerType owner_type = store::OwnerType::Server;
  Id owner_id = 0;
  std::string uuid;
  DomainNames names;
  struct Track {
    Id id = 0;
    std::string name;
  };
  std::vector<Track> track_domains;
  // Status columns as they are: `OK`, `Missing`, `Invalid` or empty. What cannot be looked up keeps them.
  std::string spf_status, dkim_status, mx_status, return_path_status;
};

// Domains of this name, whoever owns them; one for each owner.
std::vector<DomainToCheck> domains_to_check(const Context& context, std::string_view name);
std::optional<DomainToCheck> domain_to_check(const Context& context, Id domain_id);
// The domain of a tracking domain, with that one alone in track_domains.
std::optional<DomainToCheck> track_domain_to_check(const Context& context, Id track_domain_id);

struct CheckedRecord {
  DnsRecord record;
  std::vector<std::string> found;
  Finding finding;
  Id track_domain_id = 0;
  // `ok`, `missing`, `invalid`, `unknown`; what is not required and missing: `optional`, `recommended`.
  std::string_view status() const;
};

struct DomainCheck {
  DomainToCheck domain;
  std::vector<CheckedRecord> records;  // one for each of dns_records(), then tracking

  // What the columns will say: the finding, or the old status where nobody could be asked.
  std::string status(std::string_view purpose) const;
  // Empty: all is well.
  std::string error(std::string_view purpose) const;
  const CheckedRecord* find(std::string_view purpose) const;
  // SPF and DKIM OK, MX and return path OK or missing.
  bool ok() const;
  // The record that proves ownership was found.
  bool ownership_proven() const;
  bool answered() const;  // some name server answered something
};

// Makes a resolver that asks other name servers.
using ResolverFactory = std::function<Result<std::unique_ptr<io::Resolver>>(const io::ResolverOptions&)>;

// Asks afresh. By postal.use_local_ns_for_domain_verification: `resolver`, or the domain's own name servers.
io::Task<DomainCheck> check_domain(io::Resolver& resolver, const config::Config& config, DomainToCheck domain,
                                   ResolverFactory own = io::make_resolver);
// The tracking domains alone.
io::Task<DomainCheck> check_track_domains(io::Resolver& resolver, const config::Config& config, DomainToCheck domain,
                                          ResolverFactory own = io::make_resolver);

// Writes the status and error columns of the domain and its tracking domains. Nothing when nobody answered.
void store_domain_check(const Context& context, const DomainCheck& check);

}  // namespace posthaste::manage
