#include "manage/testing_context.h"

namespace posthaste::manage::testing {

namespace {
config::Config& named(config::Config& config) {
  config.dns.dkim_identifier = "postal";
  config.dns.spf_include = "spf.postal.test";
  config.dns.return_path_domain = "rp.postal.test";
  config.dns.track_domain = "track.postal.test";
  config.dns.custom_return_path_prefix = "psrp";
  config.dns.domain_verify_prefix = "postal-verification";
  config.dns.dmarc_record = "v=DMARC1; p=none; rua=mailto:postmaster@%{domain}";
  config.dns.mx_records = {"mx1.postal.test", "mx2.postal.test"};
  config.postal.use_local_ns_for_domain_verification = true;
  return config;
}
}  // namespace

Managed::Managed(sql::Dialect dialect)
    : installation(dialect), store(installation.open()), context{*store, named(installation.config)} {}

}  // namespace posthaste::manage::testing
