#include "store/hits.h"

#include "store/message_row.h"
#include "store/rows.h"
#include "store/webhook_rows.h"

namespace posthaste::store {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t kTextColumn = 255;
// Nobody reads a message and clicks that soon after it was handed over.
constexpr auto kFasterThanPeople = 2s;

// Of rows whose token is alike but for case: the exact one, or the only one.
template <class T>
std::optional<T> choose(std::vector<T> rows, std::string_view token) {
  const auto exact = std::ranges::find(rows, token, &T::token);
  if (exact != rows.end()) return std::move(*exact);
  if (rows.size() == 1) return std::move(rows.front());
  return std::nullopt;
}

std::optional<Message> message_by_token(sql::Connection& connection, const sql::Names& names, std::string_view token) {
  std::vector<Message> found;
  select_messages(connection, names, "WHERE token = ? ORDER BY id LIMIT 3", {token},
                  [&](Message message) { found.push_back(std::move(message)); });
  return choose(std::move(found), token);
}

std::optional<Message> message_by_id(sql::Connection& connection, const sql::Names& names, Id id) {
  std::optional<Message> found;
  select_messages(connection, names, "WHERE id = ?", {id}, [&](Message message) { found = std::move(message); });
  return found;
}

// One hit on its way into the tables. The same object is used when a batch is repeated.
class Recording {
 public:
  Recording(NewHit hit, HitRequests requests) : hit_(std::move(hit)), make_requests_(std::move(requests)) {}

  void write_messages(sql::Connection& connection, const sql::Names& names) {
    recorded_ = is_there(connection, names);
    if (recorded_) return;
    const auto message = hit_.link ? message_by_id(connection, names, hit_.link->message_id.value_or(0))
                                   : message_by_token(connection, names, hit_.message_token);
    if (!message && !hit_.link) return;
    const HitClass found = class_for(message);
    insert(connection, names, message ? message->id : *hit_.link->message_id, found);
    const bool counts = hit_.machines != Machines::Ignore || found == HitClass::Person;
    if (!message || !counts) return;
    mark(connection, names, message->id);
    if (requests_.empty()) requests_ = make_requests_(hit_, *message, found);
  }

  void write_queue(sql::Connection& connection, const sql::Names& names) const {
    if (!recorded_) write_requests(connection, names, hit_.server_id, hit_.when, requests_);
  }

 private:
  // The answer to an earlier COMMIT was lost. Times are exact to the microsecond.
  bool is_there(sql::Connection& connection, const sql::Names& names) const {
    return message_id_ &&
           connection
               .scalar(sql::bind_names(
                           fmt::format("SELECT 1 FROM {{message}}`{}` WHERE message_id = ? AND timestamp = ? AND "
                                       "COALESCE(ip_address, '') = ? LIMIT 1",
                                       hit_.link ? "clicks" : "loads"),
                           names),
                       {*message_id_, sql::UnixTime{hit_.when}, std::string_view(hit_.ip_address)})
               .has_value();
  }

  HitClass class_for(const std::optional<Message>& message) const {
    if (hit_.hit_class != HitClass::Person || !hit_.link || !message) return hit_.hit_class;
    const auto& delivered = message->last_delivery_attempt;
    const bool at_once = delivered && hit_.when >= *delivered && hit_.when - *delivered < kFasterThanPeople;
    return at_once ? HitClass::Scanner : HitClass::Person;
  }

  void insert(sql::Connection& connection, const sql::Names& names, Id message_id, HitClass hit_class) {
    message_id_ = message_id;
    const sql::Value ip = clean_text(hit_.ip_address, kTextColumn), agent = clean_text(hit_.user_agent, kTextColumn);
    const sql::UnixTime when{hit_.when};
    const std::int64_t bot = int(hit_class);
    if (hit_.link)
      connection.run(sql::bind_names("INSERT INTO {message}`clicks` (message_id, link_id, ip_address, user_agent, "
                                     "timestamp, posthaste_bot) VALUES (?, ?, ?, ?, ?, ?)",
                                     names),
                     {message_id, hit_.link->id, ip, agent, when, bot});
    else
      connection.run(sql::bind_names("INSERT INTO {message}`loads` (message_id, ip_address, user_agent, timestamp, "
                                     "posthaste_bot) VALUES (?, ?, ?, ?, ?)",
                                     names),
                     {message_id, ip, agent, when, bot});
  }

  void mark(sql::Connection& connection, const sql::Names& names, Id message_id) const {
    const std::string_view sql = hit_.link
                                     ? "UPDATE {message}`messages` SET clicked = ? WHERE id = ?"
                                     : "UPDATE {message}`messages` SET loaded = ? WHERE id = ? AND loaded IS NULL";
    connection.run(sql::bind_names(sql, names), {sql::UnixTime{hit_.when}, message_id});
  }

  const NewHit hit_;
  const HitRequests make_requests_;
  std::vector<NewWebhookRequest> requests_;  // made once: a repetition has the same identities
  std::optional<Id> message_id_;             // of an earlier run
  bool recorded_ = false;
};

}  // namespace

std::optional<Link> find_link(Store& store, Id server_id, std::string_view token) {
  std::vector<Link> found;
  store.read_messages(server_id, [&](sql::Connection& connection) {
    found.clear();
    const bool sqlite = connection.dialect() == sql::Dialect::Sqlite;
    connection.query(store.message(server_id, fmt::format("SELECT id, message_id, token, url FROM {{message}}`links` "
                                                          "WHERE token = ? {} ORDER BY id LIMIT 8",
                                                          sqlite ? "COLLATE NOCASE" : "")),
                     {token}, [&](const sql::Row& row) {
                       found.push_back({row.integer(0), row.maybe_integer(1), row.string(2), row.string(3)});
                     });
  });
  return choose(std::move(found), token);
}

Write hit_write(NewHit hit, HitRequests requests) {
  Write write;
  write.server_id = hit.server_id;
  write.bytes = 512;
  auto recording = std::make_shared<Recording>(std::move(hit), std::move(requests));
  write.messages = [recording](sql::Connection& connection, const sql::Names& names) {
    recording->write_messages(connection, names);
  };
  write.queue = [recording](sql::Connection& connection, const sql::Names& names) {
    recording->write_queue(connection, names);
  };
  return write;
}

}  // namespace posthaste::store
