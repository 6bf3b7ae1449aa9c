#include "manage/track_domains.h"

#include "manage/domains.h"
#include "manage/problems.h"

namespace posthaste::manage {

namespace {

void validate(Work& work, const TrackDomainFields& track, Id id, Problems& problems) {
  check_present(problems, "Name", track.name);
  check_length(problems, "Name", track.name, 63);
  check_letters(problems, "Name", track.name, is_permalink_letter);
  check_length(problems, "Excluded click domains", track.excluded_click_domains, 16000);
  if (!track.domain_id.has_value()) return problems.add("Domain", kMustExist);
  auto domain = find_by_id<DomainFields>(work, *track.domain_id, "domain");
  if (!domain) return problems.add("Domain", kMustExist);
  if (!domain_usable_by(work, domain->fields, track.server_id.value_or(0)))
    problems.add("Domain", "does not belong to the server or the server's organization");
  if (!is_blank(track.name) &&
      work.exists("SELECT `id` FROM {main}`track_domains` WHERE `domain_id` = ? AND `name` = ? AND `id` <> ?",
                  {*track.domain_id, *track.name, id}))
    problems.add("Name", "is already added");
  if (work.exists("SELECT `id` FROM {main}`track_domains` WHERE `domain_id` = ? AND `server_id` = ? AND `id` <> ?",
                  {*track.domain_id, track.server_id.value_or(0), id}))
    problems.add("Domain", "already has a track domain for this server");
}

}  // namespace

Result<TrackDomain> create_track_domain(Work& work, Id server_id, TrackDomainFields fields, std::string uuid) {
  fields.server_id = server_id;
  for (auto* on : {&fields.ssl_enabled, &fields.track_clicks, &fields.track_loads}) on->default_to(true);
  Problems problems;
  validate(work, fields, 0, problems);
  if (!problems.none()) return problems.refuse();
  return insert(work, std::move(fields), std::move(uuid));
}

Result<TrackDomain> update_track_domain(Work& work, Id id, const TrackDomainFields& fields) {
  return change(work, id, "tracking domain", fields,
                [&](const TrackDomainFields& f, Problems& found) { validate(work, f, id, found); });
}

Result<> delete_track_domain(Work& work, Id id) {
  if (work.run("DELETE FROM {main}`track_domains` WHERE `id` = ?", {id}).affected == 0)
    return fail(ErrorKind::NotFound, fmt::format("there is no tracking domain with the id {}", id));
  return {};
}

std::optional<TrackDomain> find_track_domain(Work& work, Id server_id, std::string_view name) {
  return select_one<TrackDomainFields>(work, "`server_id` = ? AND `name` = ?", {server_id, name});
}

std::vector<TrackDomain> track_domains_of(Work& work, Id server_id) {
  return select<TrackDomainFields>(work, "`server_id` = ?", {server_id});
}

std::vector<TrackDomain> track_domains_of_domain(Work& work, Id domain_id) {
  return select<TrackDomainFields>(work, "`domain_id` = ?", {domain_id});
}

}  // namespace posthaste::manage
