#include "store/activity.h"

namespace posthaste::store {

namespace {

constexpr std::string_view kLoads =
    "SELECT NULL, ip_address, user_agent, timestamp FROM {message}`loads` WHERE message_id = ? ORDER BY timestamp";
constexpr std::string_view kClicks =
    "SELECT l.url, c.ip_address, c.user_agent, c.timestamp FROM {message}`clicks` c "
    "LEFT JOIN {message}`links` l ON l.id = c.link_id WHERE c.message_id = ? ORDER BY c.timestamp";

}  // namespace

Activity activity(Store& store, Id server_id, Id message_id) {
  Activity found;
  store.read_messages(server_id, [&](sql::Connection& connection) {
    const auto read = [&](std::string_view sql, std::vector<Hit>& into) {
      connection.query(store.message(server_id, sql), {message_id}, [&](const sql::Row& row) {
        into.push_back({row.string(0), row.string(1), row.string(2), row.unix_time(3).value_or(Time())});
      });
    };
    read(kLoads, found.loads);
    read(kClicks, found.clicks);
  });
  return found;
}

}  // namespace posthaste::store
