// The DNS records of a domain, as its owner is to publish them (data-model.md 5.1, admin-and-config.md section 9).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "store/records.h"

namespace posthaste::manage {

// What of a domain its records depend on.
struct DomainNames {
  std::string name, verification_token, dkim_identifier_string, dkim_private_key;
  bool verified = true;

  static DomainNames of(const store::Domain& domain);
};

struct DnsRecord {
  std::string purpose;  // verification, spf, dkim, dmarc, return-path, mx, tracking
  std::string name, type, value;
  int priority = 0;       // MX
  bool required = false;  // for sending; the others are options and recommendations
};

// `postal-aB3dEf._domainkey.example.com`
std::string dkim_record_name(const config::Config& config, const DomainNames& domain);
// Empty when the private key cannot be read.
std::string dkim_record_value(const DomainNames& domain);
std::string spf_record(const config::Config& config);
std::string return_path_name(const config::Config& config, std::string_view domain);

// In the order in which people set them up. Ownership only while the domain is not verified.
std::vector<DnsRecord> dns_records(const config::Config& config, const DomainNames& domain);
DnsRecord track_domain_record(const config::Config& config, std::string_view name, std::string_view domain);

// The record as a line of a zone file: values of TXT in quoted strings of at most 255 bytes.
std::string zone_line(const DnsRecord& record);

}  // namespace posthaste::manage
