#include "manage/suppressions.h"

#include <algorithm>

#include "base/strings.h"
#include "manage/problems.h"

namespace posthaste::manage {

namespace {

constexpr std::string_view kType = "recipient";
constexpr std::string_view kDefaultReason = "added by hand";

std::vector<Suppression> read(const Context& context, sql::Connection& connection, Id server_id) {
  std::vector<Suppression> found;
  connection.query(context.store.message(
                       server_id,
                       "SELECT `address`, `reason`, `keep_until` FROM {message}`suppressions` WHERE `type` = ? AND "
                       "`keep_until` > ? ORDER BY `address`"),
                   {kType, sql::UnixTime{context.clock()}}, [&](const sql::Row& row) {
                     found.push_back({row.string(0), row.string(1), row.unix_time(2).value_or(Time())});
                   });
  return found;
}

Result<> check(const std::vector<NewSuppression>& wanted) {
  Problems problems;
  for (const auto& entry : wanted) {
    check_present(problems, "Address", entry.address);
    check_length(problems, "Address", entry.address, 254);
    check_length(problems, "Reason", Field<std::string>(entry.reason));
    if (!entry.address.contains('@')) problems.add("Address", kInvalid);
  }
  if (!problems.none()) return problems.refuse();
  return {};
}

SuppressionChanges compare(const std::vector<Suppression>& present, const std::vector<NewSuppression>& wanted,
                           bool only) {
  SuppressionChanges changes;
  for (const auto& entry : wanted) {
    auto known = std::ranges::find_if(present, [&](const auto& p) { return iequals(p.address, entry.address); });
    if (known == present.end())
      changes.added.push_back(entry.address);
    else if (entry.reason.value_or(known->reason) != known->reason ||
             entry.keep_until.value_or(known->keep_until) != known->keep_until)
      changes.changed.push_back(entry.address);
  }
  if (!only) return changes;
  for (const auto& entry : present)
    if (std::ranges::none_of(wanted, [&](const auto& w) { return iequals(w.address, entry.address); }))
      changes.removed.push_back(entry.address);
  return changes;
}

void remove(const Context& context, sql::Connection& connection, Id server_id, std::string_view address) {
  connection.run(
      context.store.message(server_id, "DELETE FROM {message}`suppressions` WHERE `type` = ? AND `address` = ?"),
      {kType, address});
}

void write(const Context& context, sql::Connection& connection, Id server_id, const NewSuppression& entry,
           const Suppression* known) {
  auto days = std::chrono::days(context.config.postal.default_suppression_list_automatic_removal_days);
  auto reason = entry.reason.value_or(known ? known->reason : std::string(kDefaultReason));
  auto until = entry.keep_until.value_or(known ? known->keep_until : context.clock() + days);
  remove(context, connection, server_id, entry.address);  // an expired one, too
  connection.run(context.store.message(server_id,
                                       "INSERT INTO {message}`suppressions` (`type`, `address`, `reason`, `timestamp`, "
                                       "`keep_until`) VALUES (?, ?, ?, ?, ?)"),
                 {kType, entry.address, reason, sql::UnixTime{context.clock()}, sql::UnixTime{until}});
}

}  // namespace

std::vector<Suppression> suppressions_of(const Context& context, Id server_id) {
  std::vector<Suppression> found;
  context.store.read_messages(server_id,
                              [&](sql::Connection& connection) { found = read(context, connection, server_id); });
  return found;
}

Result<SuppressionChanges> compare_suppressions(const Context& context, Id server_id,
                                                const std::vector<NewSuppression>& wanted, bool only) {
  if (auto fine = check(wanted); !fine) return std::unexpected(fine.error());
  return compare(suppressions_of(context, server_id), wanted, only);
}

Result<SuppressionChanges> set_suppressions(const Context& context, Id server_id,
                                            const std::vector<NewSuppression>& wanted, bool only) {
  auto changes = compare_suppressions(context, server_id, wanted, only);
  if (!changes || (changes->added.empty() && changes->changed.empty() && changes->removed.empty())) return changes;
  context.store.change_messages(server_id, [&](sql::Connection& connection) {
    auto present = read(context, connection, server_id);
    changes = compare(present, wanted, only);
    for (const auto& entry : wanted) {
      auto known = std::ranges::find_if(present, [&](const auto& p) { return iequals(p.address, entry.address); });
      write(context, connection, server_id, entry, known == present.end() ? nullptr : &*known);
    }
    for (const auto& address : changes->removed) remove(context, connection, server_id, address);
  });
  return changes;
}

bool remove_suppression(const Context& context, Id server_id, std::string_view address) {
  std::int64_t affected = 0;
  context.store.change_messages(server_id, [&](sql::Connection& connection) {
    affected = connection
                   .run(context.store.message(server_id,
                                              "DELETE FROM {message}`suppressions` WHERE `type` = ? AND `address` = ?"),
                        {kType, address})
                   .affected;
  });
  return affected > 0;
}

}  // namespace posthaste::manage
