#include "store/message_row.h"
#include "store/store_impl.h"

namespace posthaste::store {

namespace {

constexpr std::string_view kSelectMessage =
    "SELECT id, token, scope, rcpt_to, mail_from, subject, message_id, tag, status, timestamp, route_id, domain_id, "
    "credential_id, endpoint_id, endpoint_type, held, inspected, spam, threat, bounce, parsed, bounce_for_id, "
    "spam_score, "
    "threat_details, received_with_ssl, size, last_delivery_attempt, hold_expiry, loaded, clicked, raw_table, "
    "raw_headers_id, raw_body_id FROM {message}`messages` ";

Message message_of(const sql::Row& row) {
  Message m;
  m.id = row.integer(0);
  int column = 1;
  for (std::string* text : {&m.token, &m.scope, &m.rcpt_to, &m.mail_from, &m.subject, &m.message_id, &m.tag, &m.status})
    *text = row.string(column++);
  m.timestamp = row.unix_time(9).value_or(Time{});
  m.route_id = row.maybe_integer(10);
  m.domain_id = row.maybe_integer(11);
  m.credential_id = row.maybe_integer(12);
  m.endpoint_id = row.maybe_integer(13);
  m.endpoint_type = row.string(14);
  column = 15;
  for (bool* flag : {&m.held, &m.inspected, &m.spam, &m.threat, &m.bounce, &m.parsed}) *flag = row.flag(column++);
  m.bounce_for_id = row.integer(21);
  m.spam_score = row.real(22);
  m.threat_details = row.string(23);
  if (!row.is_null(24)) m.received_with_ssl = row.flag(24);
  m.size = row.maybe_integer(25);
  m.last_delivery_attempt = row.unix_time(26);
  m.hold_expiry = row.unix_time(27);
  m.loaded = row.unix_time(28);
  m.clicked = row.unix_time(29);
  m.raw_table = row.string(30);
  m.raw_headers_id = row.maybe_integer(31);
  m.raw_body_id = row.maybe_integer(32);
  return m;
}

// The name goes into a statement: nothing but the names that are given out.
bool is_raw_table(std::string_view name) {
  return name.size() == 14 && name.starts_with("raw-") &&
         std::ranges::all_of(name.substr(4), [](char c) { return (c >= '0' && c <= '9') || c == '-'; });
}

}  // namespace

void select_messages(sql::Connection& connection, const sql::Names& names, std::string_view condition,
                     std::initializer_list<sql::Value> values, const std::function<void(Message)>& each) {
  connection.query(sql::bind_names(fmt::format("{}{}", kSelectMessage, condition), names), values,
                   [&](const sql::Row& row) { each(message_of(row)); });
}

void StoreImpl::with_messages(Id server_id,
                              const std::function<void(sql::Connection&, const sql::Names&)>& work) const {
  const Place place = databases_->messages(server_id);
  with_connection(*place.read, [&](sql::Connection& connection) { work(connection, databases_->names(server_id)); });
}

std::optional<Message> StoreImpl::message(Id server_id, Id message_id) {
  std::optional<Message> found;
  with_messages(server_id, [&](sql::Connection& connection, const sql::Names& names) {
    connection.query(sql::bind_names(std::string(kSelectMessage) + "WHERE id = ?", names), {message_id},
                     [&](const sql::Row& row) { found = message_of(row); });
  });
  return found;
}

std::optional<Message> StoreImpl::message_by_token(Id server_id, std::string_view token) {
  std::optional<Message> found;
  with_messages(server_id, [&](sql::Connection& connection, const sql::Names& names) {
    connection.query(sql::bind_names(std::string(kSelectMessage) + "WHERE token = ? ORDER BY id LIMIT 1", names),
                     {token}, [&](const sql::Row& row) { found = message_of(row); });
  });
  return found;
}

std::optional<RawMessage> StoreImpl::raw(Id server_id, const Message& message) {
  if (!is_raw_table(message.raw_table)) return std::nullopt;
  const Id headers_id = message.raw_headers_id.value_or(0), body_id = message.raw_body_id.value_or(0);
  std::string bytes;
  bool have_headers = false, have_body = body_id == 0;
  try {
    with_messages(server_id, [&](sql::Connection& connection, const sql::Names& names) {
      bytes.clear();
      const std::string select =
          sql::bind_names(fmt::format("SELECT data FROM {{message}}`{}` WHERE id = ?", message.raw_table), names);
      connection.query(select, {headers_id}, [&](const sql::Row& row) {
        have_headers = true;
        bytes = row.text(0);
      });
      bytes += "\r\n\r\n";
      if (body_id == 0) return;
      connection.query(select, {body_id}, [&](const sql::Row& row) {
        have_body = true;
        bytes += row.text(0);
      });
    });
  } catch (const sql::Failure& failure) {
    if (failure.kind() == sql::FailureKind::MissingTable) return std::nullopt;  // its day was removed
    throw;
  }
  if (!have_headers || !have_body) return std::nullopt;
  return RawMessage(std::move(bytes));
}

std::vector<Delivery> StoreImpl::deliveries(Id server_id, Id message_id) {
  std::vector<Delivery> all;
  with_messages(server_id, [&](sql::Connection& connection, const sql::Names& names) {
    all.clear();
    connection.query(sql::bind_names("SELECT id, message_id, status, details, output, code, sent_with_ssl, log_id, "
                                     "time, timestamp FROM {message}`deliveries` WHERE message_id = ? ORDER BY id",
                                     names),
                     {message_id}, [&](const sql::Row& row) {
                       Delivery& d = all.emplace_back();
                       d.id = row.integer(0);
                       d.message_id = row.integer(1);
                       d.status = row.string(2);
                       d.details = row.string(3);
                       d.output = row.string(4);
                       if (!row.is_null(5)) d.code = int(row.integer(5));
                       d.sent_with_ssl = row.flag(6);
                       d.log_id = row.string(7);
                       if (!row.is_null(8)) d.seconds = row.real(8);
                       d.timestamp = row.unix_time(9).value_or(Time{});
                     });
  });
  return all;
}

std::optional<Store::Suppression> StoreImpl::suppression(Id server_id, std::string_view address, Time now) {
  std::optional<Suppression> found;
  with_messages(server_id, [&](sql::Connection& connection, const sql::Names& names) {
    connection.query(
        sql::bind_names("SELECT address, reason, keep_until FROM {message}`suppressions` WHERE type = 'recipient' AND "
                        "address = ? AND keep_until >= ? LIMIT 1",
                        names),
        {address, sql::UnixTime{now}}, [&](const sql::Row& row) {
          found = Suppression{row.string(0), row.string(1), row.unix_time(2).value_or(Time{})};
        });
  });
  return found;
}

std::size_t StoreImpl::hard_fails_since(Id server_id, std::string_view rcpt_to, Time since) {
  std::size_t fails = 0;
  with_messages(server_id, [&](sql::Connection& connection, const sql::Names& names) {
    fails = std::size_t(
        connection
            .scalar(sql::bind_names("SELECT COUNT(*) FROM {message}`messages` WHERE rcpt_to = ? AND timestamp > ? AND "
                                    "status = 'HardFail' AND scope = 'outgoing'",
                                    names),
                    {rcpt_to, sql::UnixTime{since}})
            .value_or(0));
  });
  return fails;
}

std::int64_t StoreImpl::sent_last_hour(Id server_id, Time now) { return live_stats_.sent_last_hour(server_id, now); }
void StoreImpl::count_sent(Id server_id, Time now) { live_stats_.count_sent(server_id, now); }
void StoreImpl::count_received(Id server_id, Time now) { live_stats_.count_received(server_id, now); }

}  // namespace posthaste::store
