#include "store/tracked_message.h"

#include <openssl/evp.h>

#include "base/strings.h"
#include "store/rows.h"

namespace posthaste::store {

namespace {

// The column's value in Postal; nothing looks it up.
std::string sha1_hex(std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &length, EVP_sha1(), nullptr) != 1) return {};
  return hex_encode({reinterpret_cast<const char*>(digest), length});
}

void write_links(sql::Connection& connection, const sql::Names& names, const TrackedMessage& m) {
  std::vector<std::string> hashes;
  hashes.reserve(m.links.size());  // the rows look into them
  Rows rows(5);
  for (const NewLink& link : m.links) {
    hashes.push_back(sha1_hex(link.url));
    rows.add({m.message_id, std::string_view(link.token), std::string_view(hashes.back()), std::string_view(link.url),
              sql::UnixTime{m.now}});
  }
  insert(connection, sql::bind_names("INSERT INTO {message}`links` (message_id, token, hash, url, timestamp)", names),
         rows);
}

class RawRows {
 public:
  RawRows(sql::Connection& connection, const sql::Names& names, const TrackedMessage& message)
      : connection_(connection),
        names_(names),
        message_(message),
        table_(sql::bind_names(fmt::format("{{message}}`{}`", message.raw_table), names)) {}

  // The row that has the bytes now.
  Id put(const std::string& bytes, std::optional<Id> row) {
    const sql::Value data = bytes.empty() ? sql::Value(sql::Null{}) : sql::Value(sql::Blob{bytes});
    if (message_.in_place && row) {
      connection_.run(fmt::format("UPDATE {} SET data = ? WHERE id = ?", table_), {data, *row});
      return *row;
    }
    Rows rows(1);
    rows.add({data});
    added_ += std::int64_t(bytes.size());
    return insert_returning_ids(connection_, fmt::format("INSERT INTO {} (data)", table_), rows).at(0);
  }

  void note_size() {
    connection_.run(
        sql::bind_names("UPDATE {message}`raw_message_sizes` SET size = size + ? WHERE table_name = ?", names_),
        {added_, std::string_view(message_.raw_table)});
  }

 private:
  sql::Connection& connection_;
  const sql::Names& names_;
  const TrackedMessage& message_;
  const std::string table_;
  std::int64_t added_ = 0;
};

TrackedBefore write_message(sql::Connection& connection, const sql::Names& names, const TrackedMessage& m) {
  auto state = TrackedBefore::MessageGone;
  std::optional<Id> headers_id, body_id;
  connection.query(
      sql::bind_names("SELECT parsed, raw_headers_id, raw_body_id FROM {message}`messages` WHERE id = ?", names),
      {m.message_id}, [&](const sql::Row& row) {
        state = row.flag(0) ? TrackedBefore::Yes : TrackedBefore::No;
        headers_id = row.maybe_integer(1);
        body_id = row.maybe_integer(2);
      });
  if (state != TrackedBefore::No) return state;
  RawRows raw(connection, names, m);
  if (m.headers) headers_id = raw.put(*m.headers, headers_id);
  if (m.body) body_id = raw.put(*m.body, body_id);
  raw.note_size();
  write_links(connection, names, m);
  connection.run(sql::bind_names("UPDATE {message}`messages` SET parsed = 1, tracked_links = ?, tracked_images = ?, "
                                 "raw_headers_id = ?, raw_body_id = ? WHERE id = ?",
                                 names),
                 {std::int64_t(m.links.size()), std::int64_t(m.images), sql::or_null(headers_id), sql::or_null(body_id),
                  m.message_id});
  return state;
}

}  // namespace

Write tracked_message_write(std::shared_ptr<const TrackedMessage> message, std::shared_ptr<TrackedBefore> before) {
  Write write;
  write.server_id = message->server_id;
  write.bytes = (message->headers ? message->headers->size() : 0) + (message->body ? message->body->size() : 0) +
                200 * message->links.size();
  write.messages = [message = std::move(message), before = std::move(before)](sql::Connection& connection,
                                                                              const sql::Names& names) {
    *before = write_message(connection, names, *message);
  };
  return write;
}

}  // namespace posthaste::store
