#include "store/findings.h"

#include <cmath>

#include "store/rows.h"

namespace posthaste::store {

namespace {

constexpr std::size_t kShownText = 250;  // of details and output, in code points
constexpr std::size_t kColumn = 255;

double two_places(double value) { return std::round(value * 100) / 100; }

void write_inspection(sql::Connection& connection, const sql::Names& names, const Conclusion& c, Counts& counts) {
  const Inspection& found = *c.inspection;
  connection.run(sql::bind_names("UPDATE {message}`messages` SET inspected = 1, spam = ?, spam_score = ?, threat = ?, "
                                 "threat_details = ? WHERE id = ?",
                                 names),
                 {sql::flag(found.spam), two_places(found.score), sql::flag(found.threat),
                  clean_text(found.threat_details, kColumn), c.message_id});
  if (found.spam) counts.add(c.server_id, Counter::Spam, c.delivery ? c.delivery->timestamp : system_now());
  Rows rows(4);
  for (const SpamCheck& check : found.checks)
    rows.add({c.message_id, two_places(check.score), clean_text(check.code, kColumn),
              clean_text(check.description, kColumn)});
  insert(connection,
         sql::bind_names("INSERT INTO {message}`spam_checks` (message_id, score, code, description)", names), rows);
}

// The original is found bounced once, however often the bounce is looked at.
void write_other(sql::Connection& connection, const sql::Names& names, Id server_id, const OtherDelivery& other,
                 Counts& counts) {
  const Delivery& d = other.delivery;
  const sql::Value details = clean_text(d.details, kShownText);
  const auto there = connection.scalar(
      sql::bind_names("SELECT 1 FROM {message}`deliveries` WHERE message_id = ? AND status = ? AND details = ? LIMIT 1",
                      names),
      {other.message_id, std::string_view(d.status), details});
  if (there) return;
  connection.run(sql::bind_names("INSERT INTO {message}`deliveries` (message_id, status, details, output, timestamp) "
                                 "VALUES (?, ?, ?, ?, ?)",
                                 names),
                 {other.message_id, std::string_view(d.status), details, clean_text(d.output, kShownText),
                  sql::UnixTime{d.timestamp}});
  if (other.note) return;
  connection.run(sql::bind_names("UPDATE {message}`messages` SET status = ?, last_delivery_attempt = ?, held = 0, "
                                 "hold_expiry = NULL WHERE id = ?",
                                 names),
                 {std::string_view(d.status), sql::UnixTime{d.timestamp}, other.message_id});
  // As in conclude.cpp: what became of forwarded mail says nothing about the sender.
  const auto outgoing =
      connection.scalar(sql::bind_names("SELECT 1 FROM {message}`messages` WHERE id = ? AND scope = 'outgoing'", names),
                        {other.message_id});
  if (d.status == "Bounced" && outgoing) counts.add(server_id, Counter::Bounces, d.timestamp);
}

void write_report(sql::Connection& connection, const sql::Names& names, Id bounce_id, const BounceReport& report) {
  connection.run(
      sql::bind_names("DELETE FROM {message}`posthaste_bounces` WHERE bounce_id = ? AND message_id = ?", names),
      {bounce_id, report.original_id});
  connection.run(
      sql::bind_names(
          "INSERT INTO {message}`posthaste_bounces` (bounce_id, message_id, type, action, status, recipient, "
          "diagnostic, remote_mta, matched_by, timestamp) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
          names),
      {bounce_id, report.original_id, clean_text(report.type, 20), clean_text(report.action, kColumn),
       clean_text(report.status, kColumn), clean_text(report.recipient, kColumn), clean_text(report.diagnostic, 512),
       clean_text(report.remote_mta, kColumn), clean_text(report.match, kColumn), sql::UnixTime{report.reported_at}});
}

}  // namespace

void write_findings(sql::Connection& connection, const sql::Names& names, const Conclusion& conclusion,
                    Counts& counts) {
  const Conclusion& c = conclusion;
  if (c.inspection) write_inspection(connection, names, c, counts);
  if (c.bounce_for_id || c.domain_id)
    connection.run(
        sql::bind_names("UPDATE {message}`messages` SET bounce_for_id = COALESCE(?, bounce_for_id), domain_id = "
                        "COALESCE(?, domain_id) WHERE id = ?",
                        names),
        {sql::or_null(c.bounce_for_id), sql::or_null(c.domain_id), c.message_id});
  for (const OtherDelivery& other : c.others) write_other(connection, names, c.server_id, other, counts);
  for (const BounceReport& report : c.reports) write_report(connection, names, c.message_id, report);
}

}  // namespace posthaste::store
