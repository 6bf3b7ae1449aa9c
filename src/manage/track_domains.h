// Tracking domains of mail servers (data-model.md 4.9): `click.example.com` for links and pixels.
#pragma once

#include "manage/rows.h"

namespace posthaste::manage {

struct TrackDomainFields {
  Field<std::string> name, excluded_click_domains;
  Field<Id> server_id, domain_id;
  Field<bool> ssl_enabled, track_clicks, track_loads;

  static constexpr std::string_view kTable = "track_domains";
  static constexpr auto columns() {
    using F = TrackDomainFields;
    return std::tuple(Column{"name", &F::name}, Column{"excluded_click_domains", &F::excluded_click_domains},
                      Column{"server_id", &F::server_id}, Column{"domain_id", &F::domain_id},
                      Column{"ssl_enabled", &F::ssl_enabled}, Column{"track_clicks", &F::track_clicks},
                      Column{"track_loads", &F::track_loads});
  }
};
using TrackDomain = Row<TrackDomainFields>;

// A new one is used once its DNS record was found (dns_check.h): have it checked.
Result<TrackDomain> create_track_domain(Work& work, Id server_id, TrackDomainFields fields, std::string uuid = {});
Result<TrackDomain> update_track_domain(Work& work, Id id, const TrackDomainFields& fields);
Result<> delete_track_domain(Work& work, Id id);

std::optional<TrackDomain> find_track_domain(Work& work, Id server_id, std::string_view name);
std::vector<TrackDomain> track_domains_of(Work& work, Id server_id);
std::vector<TrackDomain> track_domains_of_domain(Work& work, Id domain_id);

}  // namespace posthaste::manage
