#include "manage/dns_records.h"

#include <fmt/format.h>

#include "base/strings.h"
#include "trust/dkim.h"

namespace posthaste::manage {

namespace {
constexpr std::size_t kMaximumString = 255;  // RFC 1035 3.3: a character-string
constexpr int kMxPriority = 10;

std::string quoted_strings(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at == 0 || at < text.size(); at += kMaximumString) {
    auto part = replace_all(replace_all(text.substr(at, kMaximumString), "\\", "\\\\"), "\"", "\\\"");
    out += fmt::format("{}\"{}\"", at ? " " : "", part);
  }
  return out;
}
}  // namespace

DomainNames DomainNames::of(const store::Domain& domain) {
  return {domain.name, domain.verification_token, domain.dkim_identifier_string, domain.dkim_private_key,
          domain.verified_at.has_value()};
}

std::string dkim_record_name(const config::Config& config, const DomainNames& domain) {
  return fmt::format("{}-{}._domainkey.{}", config.dns.dkim_identifier, domain.dkim_identifier_string, domain.name);
}

std::string dkim_record_value(const DomainNames& domain) {
  auto key = trust::SigningKey::from_pem(domain.dkim_private_key);
  return key ? key->record() : "";
}

std::string spf_record(const config::Config& config) {
  return fmt::format("v=spf1 a mx include:{} ~all", config.dns.spf_include);
}

std::string return_path_name(const config::Config& config, std::string_view domain) {
  return fmt::format("{}.{}", config.dns.custom_return_path_prefix, domain);
}

std::vector<DnsRecord> dns_records(const config::Config& config, const DomainNames& domain) {
  std::vector<DnsRecord> records;
  if (!domain.verified)
    records.push_back({"verification", domain.name, "TXT",
                       fmt::format("{} {}", config.dns.domain_verify_prefix, domain.verification_token), 0, true});
  records.push_back({"spf", domain.name, "TXT", spf_record(config), 0, true});
  records.push_back({"dkim", dkim_record_name(config, domain), "TXT", dkim_record_value(domain), 0, true});
  if (!config.dns.dmarc_record.empty())
    records.push_back({"dmarc", "_dmarc." + domain.name, "TXT",
                       replace_all(config.dns.dmarc_record, "%{domain}", domain.name), 0, false});
  records.push_back(
      {"return-path", return_path_name(config, domain.name), "CNAME", config.dns.return_path_domain, 0, false});
  for (const auto& host : config.dns.mx_records) records.push_back({"mx", domain.name, "MX", host, kMxPriority, false});
  return records;
}

DnsRecord track_domain_record(const config::Config& config, std::string_view name, std::string_view domain) {
  return {"tracking", fmt::format("{}.{}", name, domain), "CNAME", config.dns.track_domain, 0, false};
}

std::string zone_line(const DnsRecord& record) {
  if (record.type == "TXT") return fmt::format("{}. IN TXT {}", record.name, quoted_strings(record.value));
  if (record.type == "MX") return fmt::format("{}. IN MX {} {}.", record.name, record.priority, record.value);
  return fmt::format("{}. IN {} {}.", record.name, record.type, record.value);
}

}  // namespace posthaste::manage
