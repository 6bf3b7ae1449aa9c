// What domain checks read and write of the database.
#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "manage/dns_check.h"

namespace posthaste::manage {

namespace {

constexpr std::size_t kMaximumError = 255;

constexpr std::string_view kSelect =
    "SELECT d.`id`, d.`owner_type`, d.`owner_id`, d.`uuid`, d.`name`, d.`verification_token`, "
    "d.`dkim_identifier_string`, d.`dkim_private_key`, d.`verified_at`, d.`spf_status`, d.`dkim_status`, "
    "d.`mx_status`, "
    "d.`return_path_status` FROM {main}`domains` d WHERE ";

DomainToCheck read(const sql::Row& row) {
  DomainToCheck domain;
  domain.id = row.integer(0);
  domain.owner_type = row.text(1) == "Organization" ? store::OwnerType::Organization : store::OwnerType::Server;
  domain.owner_id = row.integer(2);
  domain.uuid = row.string(3);
  domain.names = {row.string(4), row.string(5), row.string(6), row.string(7), !row.is_null(8)};
  domain.spf_status = row.string(9);
  domain.dkim_status = row.string(10);
  domain.mx_status = row.string(11);
  domain.return_path_status = row.string(12);
  return domain;
}

std::vector<DomainToCheck> select_domains(Work& work, std::string_view where, sql::Value value) {
  std::vector<DomainToCheck> domains;
  work.query(fmt::format("{}{} ORDER BY d.`id`", kSelect, where), {value},
             [&](const sql::Row& row) { domains.push_back(read(row)); });
  for (auto& domain : domains)
    work.query("SELECT `id`, `name` FROM {main}`track_domains` WHERE `domain_id` = ? ORDER BY `id`", {domain.id},
               [&](const sql::Row& row) { domain.track_domains.push_back({row.integer(0), row.string(1)}); });
  return domains;
}

// Of owners that were not deleted.
constexpr std::string_view kByName =
    "d.`name` = ? AND ((d.`owner_type` = 'Organization' AND d.`owner_id` IN (SELECT `id` FROM {main}`organizations` "
    "WHERE `deleted_at` IS NULL)) OR (d.`owner_type` = 'Server' AND d.`owner_id` IN (SELECT s.`id` FROM "
    "{main}`servers` s JOIN {main}`organizations` o ON o.`id` = s.`organization_id` WHERE s.`deleted_at` IS NULL AND "
    "o.`deleted_at` IS NULL)))";

sql::Value cut(const std::string& error) { return sql::null_if_empty(utf8_prefix(error, kMaximumError)); }

void write_track(Work& work, const CheckedRecord& record) {
  if (record.finding.state == DnsState::Unknown) return;
  work.run(
      "UPDATE {main}`track_domains` SET `dns_status` = ?, `dns_error` = ?, `dns_checked_at` = ?, `updated_at` = ? "
      "WHERE "
      "`id` = ?",
      {to_text(record.finding.state), cut(record.finding.error), sql::DateTime{work.now()}, sql::DateTime{work.now()},
       record.track_domain_id});
}

void write_domain(Work& work, const DomainCheck& check) {
  std::string sets;
  std::vector<std::string> errors;
  std::vector<sql::Value> values;
  constexpr std::pair<std::string_view, std::string_view> kKinds[] = {
      {"spf", "spf"}, {"dkim", "dkim"}, {"mx", "mx"}, {"return-path", "return_path"}};
  for (auto [purpose, column] : kKinds) {
    auto record = check.find(purpose);
    if (!record || record->finding.state == DnsState::Unknown) continue;
    sets += fmt::format("`{0}_status` = ?, `{0}_error` = ?, ", column);
    values.emplace_back(to_text(record->finding.state));
    values.push_back(cut(record->finding.error));
  }
  if (values.empty()) return;
  values.insert(values.end(), {sql::DateTime{work.now()}, sql::DateTime{work.now()}, sql::Value(check.domain.id)});
  work.run(fmt::format("UPDATE {{main}}`domains` SET {}`dns_checked_at` = ?, `updated_at` = ? WHERE `id` = ?", sets),
           values);
}

}  // namespace

std::vector<DomainToCheck> domains_to_check(const Context& context, std::string_view name) {
  return in_read(context, [&](Work& work) { return select_domains(work, kByName, sql::Value(name)); });
}

std::optional<DomainToCheck> domain_to_check(const Context& context, Id domain_id) {
  auto found = in_read(context, [&](Work& work) { return select_domains(work, "d.`id` = ?", sql::Value(domain_id)); });
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::optional<DomainToCheck> track_domain_to_check(const Context& context, Id track_domain_id) {
  auto found = in_read(context, [&](Work& work) {
    return select_domains(work, "d.`id` = (SELECT `domain_id` FROM {main}`track_domains` WHERE `id` = ?)",
                          sql::Value(track_domain_id));
  });
  if (found.empty()) return std::nullopt;
  std::erase_if(found.front().track_domains, [&](const auto& track) { return track.id != track_domain_id; });
  return std::move(found.front());
}

std::string_view CheckedRecord::status() const {
  switch (finding.state) {
    case DnsState::Ok:
      return "ok";
    case DnsState::Invalid:
      return "invalid";
    case DnsState::Unknown:
      return "unknown";
    case DnsState::Missing:
      break;
  }
  if (record.required || record.purpose == "tracking") return "missing";
  return record.purpose == "dmarc" ? "recommended" : "optional";
}

const CheckedRecord* DomainCheck::find(std::string_view purpose) const {
  auto found = std::ranges::find(records, purpose, [](const auto& r) { return std::string_view(r.record.purpose); });
  return found == records.end() ? nullptr : &*found;
}

std::string DomainCheck::status(std::string_view purpose) const {
  auto record = find(purpose);
  if (record && record->finding.state != DnsState::Unknown) return std::string(to_text(record->finding.state));
  if (purpose == "spf") return domain.spf_status;
  if (purpose == "dkim") return domain.dkim_status;
  if (purpose == "mx") return domain.mx_status;
  return purpose == "return-path" ? domain.return_path_status : "";
}

std::string DomainCheck::error(std::string_view purpose) const {
  auto record = find(purpose);
  return record ? std::string(utf8_prefix(record->finding.error, kMaximumError)) : "";
}

bool DomainCheck::ok() const {
  auto fine = [&](std::string_view purpose) {
    auto text = status(purpose);
    return text == "OK" || text == "Missing" || !find(purpose);  // without dns.mx_records nobody looks for any
  };
  return status("spf") == "OK" && status("dkim") == "OK" && fine("mx") && fine("return-path");
}

bool DomainCheck::ownership_proven() const {
  auto record = find("verification");
  return record && record->finding.state == DnsState::Ok;
}

bool DomainCheck::answered() const {
  return std::ranges::any_of(records, [](const auto& r) { return r.finding.state != DnsState::Unknown; });
}

void store_domain_check(const Context& context, const DomainCheck& check) {
  if (!check.answered()) return;
  context.store.change([&](sql::Connection& connection) {
    Work work(context, connection);
    write_domain(work, check);
    for (const auto& record : check.records)
      if (record.track_domain_id) write_track(work, record);
  });
}

}  // namespace posthaste::manage
