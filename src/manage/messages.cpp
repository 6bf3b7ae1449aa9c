#include "manage/messages.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace posthaste::manage {

namespace {

constexpr std::string_view kHoldCancelled = "HoldCancelled";
constexpr std::string_view kCancelled = "The hold on this message has been removed without action.";

// `!` escapes what LIKE would take for a wildcard. Both engines compare without case then.
std::string pattern_of(std::string_view part) {
  std::string pattern = "%";
  for (char c : part) {
    if (c == '%' || c == '_' || c == '!') pattern += '!';
    pattern += c;
  }
  return pattern + "%";
}

Error no_such_message(Id message_id) {
  return {ErrorKind::NotFound, fmt::format("There is no message {} on this mail server.", message_id), {}};
}

std::optional<std::string> status_of(const Context& context, sql::Connection& connection, Id server_id, Id message_id) {
  std::optional<std::string> status;
  // Locked: the message may be released at the same time.
  const char* locking = connection.dialect() == sql::Dialect::MariaDb ? " FOR UPDATE" : "";
  connection.query(
      context.store.message(server_id, "SELECT `status` FROM {message}`messages` WHERE `id` = ?") + locking,
      {message_id}, [&](const sql::Row& row) { status = row.string(0); });
  return status;
}

Result<> check_held(Id message_id, const std::optional<std::string>& status) {
  if (!status) return std::unexpected(no_such_message(message_id));
  if (*status == "Held") return {};
  return fail(ErrorKind::Invalid, fmt::format("Message {} is not held, its status is {}.", message_id, *status));
}

ListedMessage listed(const sql::Row& row) {
  ListedMessage message;
  message.id = row.integer(0);
  int column = 1;
  for (auto* text : {&message.token, &message.scope, &message.status, &message.rcpt_to, &message.mail_from,
                     &message.subject, &message.tag})
    *text = row.string(column++);
  message.timestamp = row.unix_time(8).value_or(Time{});
  message.hold_expiry = row.unix_time(9);
  message.held_because = row.string(10);
  return message;
}

}  // namespace

std::vector<ListedMessage> list_messages(const Context& context, Id server_id, const MessageFilter& filter) {
  std::string where = "1 = 1";
  std::vector<std::string> texts;
  texts.reserve(3);
  const auto also = [&](std::string_view condition, std::string value) {
    where += condition;
    texts.push_back(std::move(value));
  };
  if (!filter.status.empty()) also(" AND LOWER(m.`status`) = ?", to_lower(filter.status));
  if (!filter.to.empty()) also(" AND m.`rcpt_to` LIKE ? ESCAPE '!'", pattern_of(filter.to));
  if (!filter.from.empty()) also(" AND m.`mail_from` LIKE ? ESCAPE '!'", pattern_of(filter.from));
  if (filter.held) where += " AND m.`held` = 1";
  const std::string select = context.store.message(
      server_id,
      fmt::format("SELECT m.`id`, m.`token`, m.`scope`, m.`status`, m.`rcpt_to`, m.`mail_from`, m.`subject`, m.`tag`, "
                  "m.`timestamp`, m.`hold_expiry`, CASE WHEN m.`held` = 1 THEN (SELECT d.`details` FROM "
                  "{{message}}`deliveries` d WHERE d.`message_id` = m.`id` AND d.`status` = 'Held' ORDER BY d.`id` "
                  "DESC LIMIT 1) END FROM {{message}}`messages` m WHERE {} ORDER BY m.`id` DESC{}",
                  where, filter.limit > 0 ? " LIMIT ?" : ""));
  std::vector<sql::Value> values(texts.begin(), texts.end());
  if (filter.limit > 0) values.emplace_back(std::int64_t(filter.limit));

  std::vector<ListedMessage> found;
  context.store.read_messages(server_id, [&](sql::Connection& connection) {
    found.clear();
    connection.query(select, values, [&](const sql::Row& row) { found.push_back(listed(row)); });
  });
  return found;
}

Result<> must_be_held(const Context& context, Id server_id, Id message_id) {
  const auto message = context.store.message(server_id, message_id);
  return check_held(message_id, message ? std::optional(message->status) : std::nullopt);
}

Result<> cancel_hold(const Context& context, Id server_id, Id message_id) {
  Result<> result;
  context.store.change_messages(server_id, [&](sql::Connection& connection) {
    result = check_held(message_id, status_of(context, connection, server_id, message_id));
    if (!result) return;
    const sql::UnixTime now{context.clock()};
    connection.run(context.store.message(server_id,
                                         "INSERT INTO {message}`deliveries` (`message_id`, `status`, `details`, "
                                         "`sent_with_ssl`, `timestamp`) VALUES (?, ?, ?, 0, ?)"),
                   {message_id, kHoldCancelled, kCancelled, now});
    connection.run(context.store.message(server_id,
                                         "UPDATE {message}`messages` SET `status` = ?, `held` = 0, `hold_expiry` = "
                                         "NULL, `last_delivery_attempt` = ? WHERE `id` = ?"),
                   {kHoldCancelled, now, message_id});
  });
  return result;
}

}  // namespace posthaste::manage
