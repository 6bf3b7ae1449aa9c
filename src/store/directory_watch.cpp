#include "store/directory_watch.h"

#include <array>

namespace posthaste::store {

namespace {

constexpr std::array<std::string_view, 13> kTables = {"organizations",
                                                      "servers",
                                                      "credentials",
                                                      "domains",
                                                      "routes",
                                                      "http_endpoints",
                                                      "smtp_endpoints",
                                                      "address_endpoints",
                                                      "additional_route_endpoints",
                                                      "webhooks",
                                                      "ip_addresses",
                                                      "ip_pool_rules",
                                                      "track_domains"};

std::string mark_query() {
  std::string query = "SELECT 'changes', COALESCE(SUM(seq), 0), 0, NULL FROM {main}`posthaste_changes`";
  for (const auto table : kTables)
    query += fmt::format(" UNION ALL SELECT '{0}', COUNT(*), COALESCE(MAX(id), 0), MAX(updated_at) FROM {{main}}`{0}`",
                         table);
  return query + " UNION ALL SELECT 'webhook_events', COUNT(*), COALESCE(MAX(id), 0), NULL FROM {main}`webhook_events`";
}

}  // namespace

std::string configuration_mark(sql::Connection& connection, const sql::Names& names) {
  static const std::string query = mark_query();
  std::string mark;
  connection.query(sql::bind_names(query, names), {}, [&](const sql::Row& row) {
    mark += fmt::format("{}:{}:{}:{};", row.text(0), row.integer(1), row.integer(2), row.text(3));
  });
  return mark;
}

void announce_change(sql::Connection& connection, const sql::Names& names) {
  const auto updated =
      connection.run(sql::bind_names("UPDATE {main}`posthaste_changes` SET seq = seq + 1 WHERE name = ?", names),
                     {std::string_view("configuration")});
  if (updated.affected > 0) return;
  connection.run(sql::bind_names("INSERT INTO {main}`posthaste_changes` (name, seq) VALUES (?, 1)", names),
                 {std::string_view("configuration")});
}

}  // namespace posthaste::store
