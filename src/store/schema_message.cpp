// A message database (data-model.md section 9.3).
#include "store/schema_tables.h"

namespace posthaste::store::schema {

namespace {

constexpr Table kMessage[] = {
    {"clicks", "id PKr, message_id i, link_id i, ip_address s, country s, city s, user_agent s, timestamp ts",
     "on_link_id (link_id); on_message_id (message_id)"},
    {"deliveries",
     "id PK, message_id i, status s, code i, output s512, details s512, sent_with_ssl b0, log_id s100, "
     "timestamp ts, time n",
     "on_message_id (message_id)"},
    {"links", "id PK, message_id i, token s, hash s, url t, timestamp ts",
     "on_message_id (message_id); on_token (token(8))"},
    {"live_stats", "type s20!, minute i!, count i, timestamp ts", "primary (minute, type(8))"},
    {"loads", "id PKr, message_id i, ip_address s, country s, city s, user_agent s, timestamp ts",
     "on_message_id (message_id)"},
    {"messages",
     "id PK, token s~, scope s10, rcpt_to s~, mail_from s~, subject s, message_id s, timestamp ts, "
     "route_id i, domain_id i, credential_id i, status s~, held b0, size size, last_delivery_attempt ts, "
     "raw_table s, raw_body_id i, raw_headers_id i, inspected b0, spam b0, spam_score n0, threat b0, "
     "threat_details s, bounce b0, bounce_for_id i0, tag s~, loaded ts, clicked ts, received_with_ssl b, "
     "hold_expiry ts, tracked_links i0, tracked_images i0, parsed y0, endpoint_id i, endpoint_type s",
     "on_bounce_for_id (bounce_for_id); on_held (held); on_mail_from (mail_from(12), timestamp); "
     "on_message_id (message_id(8)); on_raw_table (raw_table(14)); on_rcpt_to (rcpt_to(12), timestamp); "
     "on_scope_and_spam (scope(1), spam, timestamp); "
     "on_scope_and_status (scope(1), spam, status(6), timestamp); "
     "on_scope_and_tag (scope(1), spam, tag(8), timestamp); "
     "on_scope_and_thr_status (scope(1), threat, status(6), timestamp); "
     "on_scope_and_threat (scope(1), threat, timestamp); on_status (status(8)); on_token (token(6))"},
    {"raw_message_sizes", "id PKr, table_name s, size I", "on_table_name (table_name(14))"},
    {"spam_checks", "id PKr, message_id i, score n, code s, description s",
     "on_code (code(8)); on_message_id (message_id)"},
    {"stats_daily", "id PKr, time i, incoming I, outgoing I, spam I, bounces I, held I", "unique on_time (time)"},
    {"stats_hourly", "id PKr, time i, incoming I, outgoing I, spam I, bounces I, held I", "unique on_time (time)"},
    {"stats_monthly", "id PKr, time i, incoming I, outgoing I, spam I, bounces I, held I", "unique on_time (time)"},
    {"stats_yearly", "id PKr, time i, incoming I, outgoing I, spam I, bounces I, held I", "unique on_time (time)"},
    {"suppressions", "id PKr, type s, address s~, reason s, timestamp ts, keep_until ts",
     "on_address (address(6)); on_keep_until (keep_until)"},
    {"webhook_requests",
     "id PKr, uuid s, event s, attempt i, timestamp ts, status_code i1, body t, payload t, will_retry y, "
     "url s, webhook_id i",
     "on_event (event(8)); on_timestamp (timestamp); on_uuid (uuid(8)); on_webhook_id (webhook_id)"},
};

// What remote servers reported of messages (inbound-processing.md 18.2): bounce_id is the message that said it.
constexpr Table kOwn[] = {
    {"posthaste_bounces",
     "id PKr, bounce_id i!, message_id i!, type s20!, action s, status s, recipient s~, diagnostic s512, remote_mta s, "
     "matched_by s, timestamp ts",
     "unique on_bounce_id (bounce_id, message_id); on_message_id (message_id)"},
};

constexpr std::string_view kSqliteOwnIndexes = R"(
CREATE UNIQUE INDEX IF NOT EXISTS posthaste_bounces_bounce_id ON posthaste_bounces (bounce_id, message_id);
CREATE INDEX IF NOT EXISTS posthaste_bounces_message_id ON posthaste_bounces (message_id);
)";

constexpr Table kBookkeeping[] = {
    {"migrations", "version i!", "primary (version)"},
};

// Section 20.3. The row id is the last part of every index: `ORDER BY id DESC` needs no sort.
constexpr std::string_view kSqliteIndexes = R"(
CREATE INDEX IF NOT EXISTS messages_token ON messages (token);
CREATE INDEX IF NOT EXISTS messages_message_id ON messages (message_id);
CREATE INDEX IF NOT EXISTS messages_spam ON messages (scope, spam);
CREATE INDEX IF NOT EXISTS messages_status ON messages (scope, status);
CREATE INDEX IF NOT EXISTS messages_rcpt_to ON messages (rcpt_to);
CREATE INDEX IF NOT EXISTS messages_mail_from ON messages (mail_from);
CREATE INDEX IF NOT EXISTS messages_tag ON messages (tag) WHERE tag IS NOT NULL;
CREATE INDEX IF NOT EXISTS messages_bounce_for_id ON messages (bounce_for_id) WHERE bounce_for_id > 0;
CREATE INDEX IF NOT EXISTS messages_hold_expiry ON messages (hold_expiry) WHERE held = 1;
CREATE INDEX IF NOT EXISTS messages_raw_table ON messages (raw_table);
CREATE INDEX IF NOT EXISTS deliveries_message_id ON deliveries (message_id);
CREATE INDEX IF NOT EXISTS clicks_message_id ON clicks (message_id);
CREATE INDEX IF NOT EXISTS loads_message_id ON loads (message_id);
CREATE INDEX IF NOT EXISTS spam_checks_message_id ON spam_checks (message_id);
CREATE INDEX IF NOT EXISTS links_token ON links (token);
CREATE INDEX IF NOT EXISTS links_message_id ON links (message_id);
CREATE UNIQUE INDEX IF NOT EXISTS suppressions_address ON suppressions (type, address);
CREATE INDEX IF NOT EXISTS suppressions_keep_until ON suppressions (keep_until);
CREATE UNIQUE INDEX IF NOT EXISTS queued_messages_message_id ON queued_messages (message_id);
CREATE INDEX IF NOT EXISTS queued_messages_due ON queued_messages (retry_after) WHERE locked_at IS NULL;
CREATE INDEX IF NOT EXISTS queued_webhook_requests_due ON queued_webhook_requests (retry_after) WHERE locked_at IS NULL;
CREATE INDEX IF NOT EXISTS webhook_requests_timestamp ON webhook_requests (timestamp);
CREATE INDEX IF NOT EXISTS webhook_requests_uuid ON webhook_requests (uuid);
CREATE UNIQUE INDEX IF NOT EXISTS stats_hourly_time ON stats_hourly (time);
CREATE UNIQUE INDEX IF NOT EXISTS stats_daily_time ON stats_daily (time);
CREATE UNIQUE INDEX IF NOT EXISTS stats_monthly_time ON stats_monthly (time);
CREATE UNIQUE INDEX IF NOT EXISTS stats_yearly_time ON stats_yearly (time);
CREATE UNIQUE INDEX IF NOT EXISTS raw_message_sizes_table_name ON raw_message_sizes (table_name);
)";

}  // namespace

std::span<const Table> message_tables() { return kMessage; }
std::span<const Table> message_bookkeeping() { return kBookkeeping; }
std::span<const Table> own_message_tables() { return kOwn; }
std::string_view sqlite_server_indexes() { return kSqliteIndexes; }
std::string_view sqlite_own_server_indexes() { return kSqliteOwnIndexes; }

Table raw_table(std::string_view name) { return {name, "id PKr, data blob, next i"}; }

}  // namespace posthaste::store::schema
