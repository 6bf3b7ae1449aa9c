#include "store/accept.h"

#include <map>

namespace posthaste::store {

namespace {

// Varchar columns of Postal's schema. What is longer is cut; addresses that long were refused before.
constexpr std::size_t kTextColumn = 255;

// Postal stores empty text as NULL, raw data included.
sql::Value data(std::string_view bytes) {
  if (bytes.empty()) return sql::Null{};
  return sql::Blob{bytes};
}

struct RawIds {
  Id headers, body;
};

std::size_t copies(const AcceptWork& work) { return work.share_raw ? 1 : work.submission->messages.size(); }

// Header and body rows of all works in this table; ids by copy, in the order of the works.
std::vector<RawIds> write_raw(sql::Connection& connection, const sql::Names& names, const std::string& table,
                              std::span<AcceptWork* const> works) {
  Rows rows(1);
  std::int64_t bytes = 0;
  for (const AcceptWork* work : works) {
    const RawMessage& raw = work->submission->raw;
    for (std::size_t copy = 0; copy < copies(*work); ++copy) {
      rows.add({data(raw.headers())});
      rows.add({data(raw.body())});
      bytes += std::int64_t(raw.size());
    }
  }
  const std::string into = sql::bind_names(fmt::format("INSERT INTO {{message}}`{}` (data)", table), names);
  const std::vector<Id> ids = insert_returning_ids(connection, into, rows);
  connection.run(sql::bind_names("UPDATE {message}`raw_message_sizes` SET size = size + ? WHERE table_name = ?", names),
                 {bytes, std::string_view(table)});
  std::vector<RawIds> pairs;
  for (std::size_t i = 0; i + 1 < ids.size(); i += 2) pairs.push_back({ids[i], ids[i + 1]});
  return pairs;
}

constexpr std::string_view kIntoMessages =
    "INSERT INTO {message}`messages` (token, scope, rcpt_to, mail_from, subject, message_id, timestamp, route_id, "
    "domain_id, credential_id, status, size, raw_table, raw_headers_id, raw_body_id, bounce, bounce_for_id, tag, "
    "received_with_ssl, endpoint_id, endpoint_type)";
constexpr std::size_t kMessageColumns = 21;

void add_message(Rows& rows, const AcceptWork& work, const NewMessage& message, RawIds raw, const sql::Value& size) {
  rows.add({std::string_view(message.token),
            to_text(message.scope),
            clean_text(message.rcpt_to, kTextColumn),
            clean_text(message.mail_from, kTextColumn),
            clean_text(message.subject, kTextColumn),
            clean_text(message.message_id, kTextColumn),
            sql::UnixTime{work.submission->timestamp},
            sql::or_null(message.route_id),
            sql::or_null(message.domain_id),
            sql::or_null(message.credential_id),
            std::string_view("Pending"),
            size,
            std::string_view(work.raw_table),
            raw.headers,
            raw.body,
            sql::flag(message.bounce),
            message.bounce_for_id.value_or(0),
            clean_text(message.tag, kTextColumn),
            message.received_with_ssl ? sql::flag(*message.received_with_ssl) : sql::Value(sql::Null{}),
            sql::or_null(message.endpoint_id),
            clean_text(message.endpoint_type, kTextColumn)});
}

// The column is text on MariaDB and a number on SQLite.
sql::Value size_value(sql::Dialect dialect, std::size_t size) {
  if (dialect == sql::Dialect::MariaDb) return std::to_string(size);
  return std::int64_t(size);
}

}  // namespace

std::string raw_table_of(Time when) { return "raw-" + to_date(when); }

std::string recipient_domain(std::string_view address) {
  const auto at = address.rfind('@');
  return std::string(at == address.npos ? address : address.substr(at + 1));
}

std::string batch_key(const NewMessage& message) {
  if (message.scope == Scope::Outgoing) return "outgoing-" + recipient_domain(message.rcpt_to);
  const auto number = [](const std::optional<Id>& id) { return id ? std::to_string(*id) : std::string(); };
  return fmt::format("incoming-rt:{}-ep:{}-{}", number(message.route_id), number(message.endpoint_id),
                     message.endpoint_type);
}

void write_messages(sql::Connection& connection, const sql::Names& names, std::span<AcceptWork* const> works) {
  std::map<std::string, std::vector<AcceptWork*>> by_table;
  for (AcceptWork* work : works) by_table[work->raw_table].push_back(work);

  const std::string into = sql::bind_names(kIntoMessages, names);
  for (const auto& [table, of_table] : by_table) {
    const std::vector<RawIds> raw = write_raw(connection, names, table, of_table);
    Rows rows(kMessageColumns);
    auto next_raw = raw.begin();
    for (const AcceptWork* work : of_table) {
      const sql::Value size = size_value(connection.dialect(), work->submission->raw.size());
      for (const NewMessage& message : work->submission->messages) {
        add_message(rows, *work, message, *next_raw, size);
        if (!work->share_raw) ++next_raw;
      }
      if (work->share_raw) ++next_raw;
    }
    const std::vector<Id> ids = insert_returning_ids(connection, into, rows);
    auto next = ids.begin();
    for (AcceptWork* work : of_table) {
      const auto end = next + std::ptrdiff_t(work->submission->messages.size());
      work->message_ids.assign(next, end);
      next = end;
    }
  }
}

void write_queue(sql::Connection& connection, const sql::Names& names, std::span<AcceptWork* const> works,
                 const std::string& lease, Time now) {
  constexpr std::string_view kInto =
      "INSERT INTO {queue}`queued_messages` (server_id, message_id, domain, route_id, batch_key, ip_address_id, "
      "locked_by, locked_at, created_at, updated_at, attempts, manual)";
  Rows rows(12);
  for (const AcceptWork* work : works) {
    sql::Value locked_by, locked_at;
    if (work->claim) {
      locked_by = std::string_view(lease);
      locked_at = sql::DateTime{now};
    }
    for (std::size_t i = 0; i < work->submission->messages.size(); ++i) {
      const NewMessage& message = work->submission->messages[i];
      const std::string domain = recipient_domain(message.rcpt_to), key = batch_key(message);
      // Both are made here and gone before the statement runs: own copies.
      const auto own = [](const sql::Value& value) {
        const auto* view = std::get_if<std::string_view>(&value);
        return view ? sql::Value(std::string(*view)) : value;
      };
      rows.add({work->submission->server_id, work->message_ids.at(i), own(clean_text(domain, kTextColumn)),
                sql::or_null(message.route_id), own(clean_text(key, kTextColumn)), sql::or_null(message.ip_address_id),
                locked_by, locked_at, sql::DateTime{now}, sql::DateTime{now}, std::int64_t{0}, std::int64_t{0}});
    }
  }
  const std::vector<Id> ids = insert_returning_ids(connection, sql::bind_names(kInto, names), rows);
  auto next = ids.begin();
  for (AcceptWork* work : works) {
    const auto end = next + std::ptrdiff_t(work->submission->messages.size());
    work->queue_ids.assign(next, end);
    next = end;
  }
}

void count(std::span<AcceptWork* const> works, Counts& counts, Totals& totals) {
  for (const AcceptWork* work : works) {
    for (const NewMessage& message : work->submission->messages) {
      const bool outgoing = message.scope == Scope::Outgoing;
      counts.add(work->submission->server_id, outgoing ? Counter::Outgoing : Counter::Incoming,
                 work->submission->timestamp);
      totals.add(message.scope);
    }
  }
}

}  // namespace posthaste::store
