// What is looked up when a bounce comes in or is made.
#include "store/store_impl.h"

namespace posthaste::store {

namespace {

std::optional<Id> first_id(sql::Connection& connection, const sql::Names& names, std::string_view statement,
                           std::initializer_list<sql::Value> values) {
  return connection.scalar(sql::bind_names(statement, names), values);
}

}  // namespace

std::optional<Message> StoreImpl::sent_message(Id server_id, std::string_view message_id, std::string_view rcpt_to,
                                               Time since) {
  std::optional<Id> id;
  with_messages(server_id, [&](sql::Connection& connection, const sql::Names& names) {
    id = first_id(connection, names,
                  "SELECT MAX(id) FROM {message}`messages` WHERE message_id = ? AND rcpt_to = ? AND scope = 'outgoing' "
                  "AND timestamp > ?",
                  {message_id, rcpt_to, sql::UnixTime{since}});
  });
  return id ? message(server_id, *id) : std::nullopt;
}

std::optional<Id> StoreImpl::bounce_made_for(Id server_id, Id message_id) {
  std::optional<Id> id;
  with_messages(server_id, [&](sql::Connection& connection, const sql::Names& names) {
    id = first_id(connection, names,
                  "SELECT id FROM {message}`messages` WHERE bounce_for_id = ? AND bounce_for_id > 0 AND scope = "
                  "'outgoing' AND bounce = 1 ORDER BY id LIMIT 1",
                  {message_id});
  });
  return id;
}

std::size_t StoreImpl::bounces_made_since(Id server_id, std::string_view rcpt_to, Time since) {
  std::size_t made = 0;
  with_messages(server_id, [&](sql::Connection& connection, const sql::Names& names) {
    made = std::size_t(first_id(connection, names,
                                "SELECT COUNT(*) FROM {message}`messages` WHERE rcpt_to = ? AND timestamp > ? AND "
                                "scope = 'outgoing' AND bounce = 1",
                                {rcpt_to, sql::UnixTime{since}})
                           .value_or(0));
  });
  return made;
}

bool StoreImpl::reported_since(Id server_id, Id bounce_id, const BounceReport& report, Time since) {
  bool reported = false;
  with_messages(server_id, [&](sql::Connection& connection, const sql::Names& names) {
    reported = first_id(connection, names,
                        "SELECT 1 FROM {message}`posthaste_bounces` WHERE message_id = ? AND bounce_id <> ? AND type = "
                        "? AND COALESCE(recipient, '') = ? AND timestamp > ? LIMIT 1",
                        {report.original_id, bounce_id, std::string_view(report.type),
                         std::string_view(report.recipient), sql::UnixTime{since}})
                   .has_value();
  });
  return reported;
}

}  // namespace posthaste::store
