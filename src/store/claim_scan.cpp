#include "store/claim_scan.h"

#include <algorithm>
#include <bit>
#include <map>

namespace posthaste::store {

namespace {

constexpr std::size_t kMostSites = 512;  // in a statement; what else is full is bounded by the window alone
// From the start again after this long; after ten times as long as it takes, if that is more.
constexpr auto kShortestRound = std::chrono::seconds(2), kLongestRound = std::chrono::seconds(60);
constexpr int kRoundsCost = 10;

constexpr std::string_view kSelect =
    "SELECT id, server_id, message_id, domain, ip_address_id, attempts, route_id, manual, created_at, batch_key, "
    "retry_after FROM "
    "{queue}`queued_messages` WHERE ";

QueuedMessage queued_of(const sql::Row& row) {
  QueuedMessage m;
  m.queue_id = row.integer(0);
  m.server_id = row.integer(1);
  m.message_id = row.integer(2);
  m.domain = row.string(3);
  m.ip_address_id = row.maybe_integer(4);
  m.attempts = int(row.integer(5));
  m.route_id = row.maybe_integer(6);
  m.manual = row.flag(7);
  m.created_at = row.date_time(8).value_or(Time{});
  m.batch_key = row.string(9);
  return m;
}

std::string list_of(std::size_t size) {
  std::string list = "LOWER(?)";
  for (std::size_t i = 1; i < size; ++i) list += ",LOWER(?)";
  return list;
}

}  // namespace

void ClaimScan::pass_over(std::vector<Site> sites, Instant now) {
  std::ranges::sort(sites);
  if (sites.size() > kMostSites) sites.resize(kMostSites);
  const auto round = std::clamp<Instant::duration>(took_ * kRoundsCost, kShortestRound, kLongestRound);
  // With more sites than before all the earlier rows are passed over still.
  const bool goes_on = !sites_.empty() && std::ranges::includes(sites, sites_) && now - began_ < round;
  sites_ = std::move(sites);
  if (goes_on) return;
  after_ = 0;
  from_ = Time{};
  began_ = now;
}

ClaimScan::Statement ClaimScan::statement(sql::Connection& connection, const sql::Names& names,
                                          const std::string& claimable) const {
  const bool mariadb = connection.dialect() == sql::Dialect::MariaDb;
  Statement s;
  s.select = sql::bind_names(std::string(kSelect) + claimable, names);
  // READ COMMITTED and SKIP LOCKED: claims neither wait for each other nor make inserts wait.
  if (mariadb) s.locking = " FOR UPDATE SKIP LOCKED";
  std::map<std::optional<Id>, std::vector<std::string_view>> by_source;
  for (const Site& site : sites_) by_source[site.ip_address_id].push_back(site.domain);
  // Bytes are compared: to the column's collation `u` and an umlaut are one letter, and another domain would wait.
  const std::string_view matches = mariadb ? " AND NOT (ip_address_id <=> ? AND BINARY LOWER(COALESCE(domain, '')) IN ("
                                           : " AND NOT (ip_address_id IS ? AND LOWER(COALESCE(domain, '')) IN (";
  for (const auto& [source, domains] : by_source) {
    const std::size_t size = std::bit_ceil(domains.size());
    s.passed += std::string(matches) + list_of(size) + "))";
    s.passed_values.push_back(sql::or_null(source));
    for (std::size_t i = 0; i < size; ++i) s.passed_values.emplace_back(domains[std::min(i, domains.size() - 1)]);
  }
  return s;
}

std::vector<QueuedMessage> ClaimScan::find(sql::Connection& connection, const sql::Names& names,
                                           const std::string& claimable, bool retries_first, std::size_t limit,
                                           Time now) {
  const auto start = std::chrono::steady_clock::now();
  const bool whole = after_ == 0 && from_ == Time{};
  const Statement s = statement(connection, names, claimable);
  std::vector<QueuedMessage> rows;
  if (retries_first) find_retries(connection, s, limit, now, rows);
  find_fresh(connection, names, s, limit, rows);
  if (!retries_first) find_retries(connection, s, limit, now, rows);
  if (whole) took_ = std::chrono::steady_clock::now() - start;
  return rows;
}

void ClaimScan::find_fresh(sql::Connection& connection, const sql::Names& names, const Statement& s, std::size_t limit,
                           std::vector<QueuedMessage>& rows) {
  if (rows.size() >= limit) return;
  Id end = 0;  // before the search: what is inserted meanwhile is not behind us
  if (!sites_.empty())
    end = connection.scalar(sql::bind_names("SELECT MAX(id) FROM {queue}`queued_messages`", names)).value_or(0);
  std::vector<sql::Value> values = {after_};
  values.insert(values.end(), s.passed_values.begin(), s.passed_values.end());
  values.emplace_back(std::int64_t(limit - rows.size()));
  connection.query(
      s.select + " AND retry_after IS NULL AND id > ?" + s.passed + " ORDER BY retry_after, id LIMIT ?" + s.locking,
      values, [&](const sql::Row& row) { rows.push_back(queued_of(row)); });
  if (sites_.empty()) return;
  after_ = rows.size() >= limit ? rows.back().queue_id : std::max(after_, end);
}

void ClaimScan::find_retries(sql::Connection& connection, const Statement& s, std::size_t limit, Time now,
                             std::vector<QueuedMessage>& rows) {
  if (rows.size() >= limit) return;
  std::vector<sql::Value> values = {sql::DateTime{from_}, sql::DateTime{now}};
  values.insert(values.end(), s.passed_values.begin(), s.passed_values.end());
  values.emplace_back(std::int64_t(limit - rows.size()));
  std::optional<Time> last;
  connection.query(s.select + " AND retry_after >= ? AND retry_after <= ?" + s.passed +
                       " ORDER BY retry_after, id LIMIT ?" + s.locking,
                   values, [&](const sql::Row& row) {
                     rows.push_back(queued_of(row));
                     last = row.date_time(10);
                   });
  if (sites_.empty()) return;
  // Whole seconds: another row may become due within the same one.
  from_ = rows.size() >= limit && last ? *last : now - std::chrono::seconds(1);
}

}  // namespace posthaste::store
