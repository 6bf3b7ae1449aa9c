// Retry, release and redelivery by hand: one action (outbound-delivery.md 7.1).
#include "store/accept.h"
#include "store/source_address.h"
#include "store/store_impl.h"

namespace posthaste::store {

namespace {

struct Found {
  NewMessage message;
  bool held = false, has_raw = false;
};

std::optional<Found> find_message(sql::Connection& connection, const sql::Names& names, Id message_id) {
  std::optional<Found> found;
  // Locked: of two who release the same message at once, one finds it queued.
  const char* locking = connection.dialect() == sql::Dialect::MariaDb ? " FOR UPDATE" : "";
  connection.query(
      sql::bind_names("SELECT rcpt_to, scope, route_id, endpoint_id, endpoint_type, status, raw_table FROM "
                      "{message}`messages` WHERE id = ?",
                      names) +
          locking,
      {message_id}, [&](const sql::Row& row) {
        Found& f = found.emplace();
        f.message.rcpt_to = row.string(0);
        f.message.scope = row.text(1) == "incoming" ? Scope::Incoming : Scope::Outgoing;
        f.message.route_id = row.maybe_integer(2);
        f.message.endpoint_id = row.maybe_integer(3);
        f.message.endpoint_type = row.string(4);
        f.held = row.text(5) == "Held";
        f.has_raw = !row.is_null(6);
      });
  return found;
}

bool make_due(sql::Connection& connection, const sql::Names& names, Id server_id, Id message_id) {
  return connection
             .run(sql::bind_names("UPDATE {queue}`queued_messages` SET retry_after = NULL WHERE server_id = ? AND "
                                  "message_id = ?",
                                  names),
                  {server_id, message_id})
             .affected > 0;
}

void queue_anew(sql::Connection& connection, const sql::Names& names, Id server_id, Id message_id,
                const NewMessage& message) {
  const sql::DateTime now{system_now()};
  const std::string domain = recipient_domain(message.rcpt_to), key = batch_key(message);
  connection.run(
      sql::bind_names(
          "INSERT INTO {queue}`queued_messages` (server_id, message_id, domain, route_id, "
          "batch_key, ip_address_id, created_at, updated_at, attempts, manual) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, "
          "1)",
          names),
      {server_id, message_id, clean_text(domain, 255), sql::or_null(message.route_id), clean_text(key, 255),
       sql::or_null(message.ip_address_id), now, now});
}

void end_hold(sql::Connection& connection, const sql::Names& names, Id message_id) {
  connection.run(
      sql::bind_names("UPDATE {message}`messages` SET status = 'Pending', held = 0, hold_expiry = NULL WHERE "
                      "id = ? AND status = 'Held'",
                      names),
      {message_id});
}

}  // namespace

// A message that is queued anew gets its source address anew.
std::optional<Id> StoreImpl::source_of(Id server_id, Id message_id) {
  const SnapshotPtr directory = snapshot();
  const Server* server = directory->server(server_id);
  if (!config_->postal.use_ip_pools || !server || directory->ip_addresses().empty()) return {};
  const auto found = message(server_id, message_id);
  if (!found || found->scope != to_text(Scope::Outgoing)) return {};
  const auto stored = raw(server_id, *found);
  const auto from = stored ? from_addresses(stored->headers()) : std::vector<std::string>();
  return source_for(*directory, *server, from, found->rcpt_to);
}

Result<Store::Requeued> StoreImpl::requeue(Id server_id, Id message_id) {
  const sql::Names names = databases_->names(server_id);
  Result<Requeued> result = Requeued::WasQueued;
  const Place messages = databases_->messages(server_id), queue = databases_->queue(server_id);
  const auto source = source_of(server_id, message_id);
  const auto into_queue = [&](sql::Connection& connection, Found found) {
    if (make_due(connection, names, server_id, message_id)) return;
    found.message.ip_address_id = source;
    queue_anew(connection, names, server_id, message_id, found.message);
    result = found.held ? Requeued::Released : Requeued::Redelivered;
  };
  in_transaction(*messages.write, [&](sql::Connection& connection) {
    result = Requeued::WasQueued;
    const auto found = find_message(connection, names, message_id);
    if (!found) {
      result = fail(ErrorKind::NotFound, "There is no message with this id on this mail server.");
      return;
    }
    if (!found->has_raw) {
      result = fail(ErrorKind::Invalid, "This message is no longer available.");
      return;
    }
    // Two instances: the row first. A message that is queued and still says Held is delivered all the same.
    if (databases_->together())
      into_queue(connection, *found);
    else
      in_transaction(*queue.write, [&](sql::Connection& c) { into_queue(c, *found); });
    if (result == Requeued::Released) end_hold(connection, names, message_id);
  });
  if (result && databases_->sqlite()) due_.note(server_id, Time{});
  return result;
}

}  // namespace posthaste::store
