#include "store/conclude.h"

#include <cmath>
#include <map>

#include "store/findings.h"
#include "store/prepend.h"
#include "store/rows.h"

namespace posthaste::store {

namespace {

constexpr std::size_t kShownText = 250;  // of details and output, in code points
constexpr std::size_t kLogId = 100;

// The journal may name an attempt whose conclusion was committed just before the process ended; the answer to a COMMIT
// may have been lost.
bool recorded(sql::Connection& connection, const sql::Names& names, const Delivery& delivery, Id message_id) {
  return connection
      .scalar(sql::bind_names("SELECT 1 FROM {message}`deliveries` WHERE message_id = ? AND status = ? AND "
                              "(timestamp = ? OR log_id = ?) LIMIT 1",
                              names),
              {message_id, std::string_view(delivery.status), sql::UnixTime{delivery.timestamp},
               sql::null_if_empty(delivery.log_id)})
      .has_value();
}

sql::Value seconds(const std::optional<double>& value) {
  if (!value) return sql::Null{};
  return std::round(*value * 100) / 100;
}

void write_deliveries(sql::Connection& connection, const sql::Names& names, std::span<ConcludeWork* const> works) {
  Rows rows(9);
  for (const ConcludeWork* work : works) {
    const Delivery& d = *work->conclusion->delivery;
    rows.add({work->conclusion->message_id, std::string_view(d.status),
              d.code ? sql::Value(std::int64_t{*d.code}) : sql::Value(sql::Null{}), clean_text(d.output, kShownText),
              clean_text(d.details, kShownText), sql::flag(d.sent_with_ssl), clean_text(d.log_id, kLogId),
              sql::UnixTime{d.timestamp}, seconds(d.seconds)});
  }
  insert(connection,
         sql::bind_names("INSERT INTO {message}`deliveries` (message_id, status, code, output, details, sent_with_ssl, "
                         "log_id, timestamp, time)",
                         names),
         rows);
}

void update_message(sql::Connection& connection, const sql::Names& names, const Conclusion& c,
                    std::optional<Id> headers_id) {
  constexpr std::string_view kExtras =
      "parsed = CASE WHEN ? = 1 THEN 1 ELSE parsed END, tag = COALESCE(?, tag), raw_headers_id = COALESCE(?, "
      "raw_headers_id) WHERE id = ?";
  const sql::Value tag = clean_text(c.tag, 255);
  if (!c.delivery) {
    if (!c.parsed && c.tag.empty() && !headers_id) return;
    connection.run(sql::bind_names(fmt::format("UPDATE {{message}}`messages` SET {}", kExtras), names),
                   {sql::flag(c.parsed), tag, sql::or_null(headers_id), c.message_id});
    return;
  }
  const bool held = c.delivery->status == "Held";
  connection.run(
      sql::bind_names(fmt::format("UPDATE {{message}}`messages` SET status = ?, last_delivery_attempt = ?, held = ?, "
                                  "hold_expiry = ?, {}",
                                  kExtras),
                      names),
      {std::string_view(c.delivery->status), sql::UnixTime{c.delivery->timestamp}, sql::flag(held),
       held ? sql::unix_or_null(c.hold_expiry) : sql::Value(sql::Null{}), sql::flag(c.parsed), tag,
       sql::or_null(headers_id), c.message_id});
}

// Bounces of incoming mail do not count: they say nothing about the sender.
void count(sql::Connection& connection, const sql::Names& names, const Conclusion& c, Counts& counts) {
  const std::string& status = c.delivery->status;
  if (status == "Held") counts.add(c.server_id, Counter::Held, c.delivery->timestamp);
  if (status != "HardFail" && status != "Bounced") return;
  const auto outgoing = connection.scalar(
      sql::bind_names("SELECT 1 FROM {message}`messages` WHERE id = ? AND scope = 'outgoing'", names), {c.message_id});
  if (outgoing) counts.add(c.server_id, Counter::Bounces, c.delivery->timestamp);
}

void change_suppressions(sql::Connection& connection, const sql::Names& names, const Conclusion& c, int days) {
  if (!c.unsuppress_address.empty())
    connection.run(
        sql::bind_names("DELETE FROM {message}`suppressions` WHERE type = 'recipient' AND address = ?", names),
        {clean_text(c.unsuppress_address, 255)});
  if (c.suppress_address.empty()) return;
  const Time now = c.delivery ? c.delivery->timestamp : system_now();
  const sql::UnixTime until{now + std::chrono::days(days)};
  const sql::Value address = clean_text(c.suppress_address, 255), reason = clean_text(c.suppress_reason, 255);
  const auto kept =
      connection.run(sql::bind_names("UPDATE {message}`suppressions` SET keep_until = ?, reason = COALESCE(?, reason) "
                                     "WHERE type = 'recipient' AND address = ?",
                                     names),
                     {until, reason, address});
  if (kept.affected > 0) return;
  connection.run(sql::bind_names("INSERT INTO {message}`suppressions` (type, address, reason, timestamp, keep_until) "
                                 "VALUES ('recipient', ?, ?, ?, ?)",
                                 names),
                 {address, reason, sql::UnixTime{now}, until});
}

// Plain ASCII, which every character set has.
std::string plain(std::string_view text, std::size_t limit) {
  std::string result(text.substr(0, limit));
  std::ranges::replace_if(result, [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
  return result;
}

void strip(Delivery& d) {
  d.details = plain(d.details, 100);
  d.log_id = plain(d.log_id, 20);
  d.output.clear();
  d.code.reset();
  d.seconds.reset();
}

}  // namespace

Conclusion bare(const Conclusion& conclusion) {
  Conclusion c = conclusion;
  c.tag.clear();
  c.prepend_headers.clear();
  c.suppress_address.clear();
  c.suppress_reason.clear();
  c.unsuppress_address.clear();
  c.inspection.reset();
  c.requests.clear();
  if (c.delivery) strip(*c.delivery);
  for (OtherDelivery& other : c.others) strip(other.delivery);
  return c;
}

void write_outcomes(sql::Connection& connection, const sql::Names& names, const ConcludeRules& rules,
                    std::span<ConcludeWork* const> works, Counts& counts) {
  std::vector<ConcludeWork*> fresh, with_delivery;
  for (ConcludeWork* work : works) {
    const Conclusion& c = *work->conclusion;
    work->recorded_before =
        work->maybe_recorded && c.delivery && recorded(connection, names, *c.delivery, c.message_id);
    if (work->recorded_before) continue;
    fresh.push_back(work);
    if (c.delivery) with_delivery.push_back(work);
  }
  const HeaderIds headers = prepend_headers(connection, names, rules.rewrite_in_place, fresh);
  write_deliveries(connection, names, with_delivery);
  for (const ConcludeWork* work : fresh) {
    const Conclusion& c = *work->conclusion;
    const auto moved = headers.find(c.message_id);
    update_message(connection, names, c, moved == headers.end() ? std::nullopt : std::optional(moved->second));
    if (c.delivery) count(connection, names, c, counts);
    change_suppressions(connection, names, c, rules.suppression_days);
    write_findings(connection, names, c, counts);
  }
}

}  // namespace posthaste::store
