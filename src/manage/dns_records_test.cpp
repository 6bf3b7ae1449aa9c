#include "manage/dns_records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trust/dkim.h"

namespace posthaste::manage {
namespace {

config::Config configured() {
  config::Config config;
  config.dns.dkim_identifier = "postal";
  config.dns.spf_include = "spf.postal.example.com";
  config.dns.return_path_domain = "rp.postal.example.com";
  config.dns.custom_return_path_prefix = "psrp";
  config.dns.domain_verify_prefix = "postal-verification";
  config.dns.dmarc_record = "v=DMARC1; p=none; rua=mailto:postmaster@%{domain}";
  config.dns.mx_records = {"mx1.postal.example.com", "mx2.postal.example.com"};
  config.dns.track_domain = "track.postal.example.com";
  return config;
}

TEST(DnsRecords, AreThoseThatPostalShowsAndDmarc) {
  DomainNames domain{"example.com", "abc", "XK4QPZ", trust::SigningKey::generate_rsa_pem(1024), false};
  std::vector<std::string> lines;
  for (const auto& r : dns_records(configured(), domain))
    lines.push_back(fmt::format("{} {} {} {}", r.purpose, r.name, r.type, r.value.substr(0, 60)));
  EXPECT_THAT(
      lines, testing::ElementsAre(
                 "verification example.com TXT postal-verification abc",
                 "spf example.com TXT v=spf1 a mx include:spf.postal.example.com ~all",
                 testing::StartsWith("dkim postal-XK4QPZ._domainkey.example.com TXT v=DKIM1; t=s; h=sha256; p=MI"),
                 "dmarc _dmarc.example.com TXT v=DMARC1; p=none; rua=mailto:postmaster@example.com",
                 "return-path psrp.example.com CNAME rp.postal.example.com", "mx example.com MX mx1.postal.example.com",
                 "mx example.com MX mx2.postal.example.com"));
  domain.verified = true;
  EXPECT_EQ(dns_records(configured(), domain).front().purpose, "spf");
}

TEST(DnsRecords, ZoneLinesSplitLongTexts) {
  EXPECT_EQ(zone_line({"mx", "example.com", "MX", "mx1.a", 10}), "example.com. IN MX 10 mx1.a.");
  EXPECT_EQ(zone_line({"tracking", "click.example.com", "CNAME", "track.a", 0}),
            "click.example.com. IN CNAME track.a.");
  EXPECT_EQ(zone_line({"x", "a", "TXT", "say \"hi\"", 0}), R"(a. IN TXT "say \"hi\"")");
  auto line = zone_line({"dkim", "a", "TXT", std::string(256, 'p'), 0});
  EXPECT_EQ(line, fmt::format("a. IN TXT \"{}\" \"p\"", std::string(255, 'p')));
}

}  // namespace
}  // namespace posthaste::manage
