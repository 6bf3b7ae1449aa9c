#include "api/v1/expansions.h"

#include <openssl/sha.h>

#include "api/v1/answer.h"
#include "api/v1/text.h"
#include "base/base64_lines.h"
#include "base/strings.h"
#include "mail/content.h"

namespace posthaste::api::v1 {

namespace {

constexpr std::string_view kNames[] = {"status",      "details", "inspection",  "plain_body",      "html_body",
                                       "attachments", "headers", "raw_message", "activity_entries"};

JsonWriter& text_or_null(JsonWriter& json, std::string_view name, std::string_view text) {
  json.key(name);
  return text.empty() ? json.null() : json.value(text);
}

JsonWriter& time_or_null(JsonWriter& json, std::string_view name, const std::optional<Time>& time) {
  json.key(name);
  return time ? json.raw(unix_seconds(*time)) : json.null();
}

void add_status(JsonWriter& json, const store::Message& message) {
  json.begin_object().field("status", message.status);
  time_or_null(json, "last_delivery_attempt", message.last_delivery_attempt);
  json.field("held", message.held);
  time_or_null(json, "hold_expiry", message.hold_expiry).end_object();
}

void add_details(JsonWriter& json, const store::Message& message) {
  json.begin_object();
  text_or_null(json, "rcpt_to", message.rcpt_to);
  text_or_null(json, "mail_from", message.mail_from);
  text_or_null(json, "subject", message.subject);
  text_or_null(json, "message_id", message.message_id);
  json.key("timestamp").raw(unix_seconds(message.timestamp));
  json.field("direction", message.scope);
  // Text, since Postal's column is one.
  text_or_null(json, "size", message.size ? std::to_string(*message.size) : "");
  json.field("bounce", message.bounce).field("bounce_for_id", message.bounce_for_id);
  text_or_null(json, "tag", message.tag);
  json.field("received_with_ssl", message.received_with_ssl).end_object();
}

void add_inspection(JsonWriter& json, const store::Message& message) {
  json.begin_object().field("inspected", message.inspected).field("spam", message.spam);
  json.field("spam_score", message.spam_score).field("threat", message.threat);
  text_or_null(json, "threat_details", message.threat_details).end_object();
}

std::string sha1(std::string_view bytes) {
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return hex_encode({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

void add_attachments(JsonWriter& json, const mail::Content& content) {
  json.begin_array();
  for (const auto& file : content.attachments) {
    json.begin_object().field("filename", file.name).field("content_type", file.content_type);
    json.field("data", base64_in_short_lines(file.bytes)).field("size", file.bytes.size());
    json.field("hash", sha1(file.bytes)).end_object();
  }
  json.end_array();
}

void add_headers(JsonWriter& json, const std::optional<store::RawMessage>& raw) {
  json.begin_object();
  for (const auto& [name, values] : raw ? mail::header_map(raw->bytes()) : mail::HeaderMap{}) {
    json.key(name).begin_array();
    for (const auto& value : values) json.value(value);
    json.end_array();
  }
  json.end_object();
}

void add_hits(JsonWriter& json, std::string_view name, const std::vector<store::Hit>& hits, bool with_url) {
  json.key(name).begin_array();
  for (const auto& hit : hits) {
    json.begin_object();
    if (with_url) text_or_null(json, "url", hit.url);
    text_or_null(json, "ip_address", hit.ip_address);
    text_or_null(json, "user_agent", hit.user_agent);
    json.field("timestamp", to_iso8601(hit.timestamp, 3)).end_object();
  }
  json.end_array();
}

void add_activity(JsonWriter& json, const store::Activity& activity) {
  json.begin_object();
  add_hits(json, "loads", activity.loads, false);
  add_hits(json, "clicks", activity.clicks, true);
  json.end_object();
}

bool wants_content(const Json& expansions) {
  return wanted(expansions, Expansion::PlainBody) || wanted(expansions, Expansion::HtmlBody) ||
         wanted(expansions, Expansion::Attachments);
}

}  // namespace

bool wanted(const Json& expansions, Expansion expansion) {
  if (const auto* all = expansions.boolean()) return *all;
  const auto* names = expansions.array();
  const auto name = kNames[static_cast<std::size_t>(expansion)];
  return names && std::ranges::any_of(*names, [&](const auto& item) { return item.text() && *item.text() == name; });
}

bool wants_raw(const Json& expansions) {
  return wants_content(expansions) || wanted(expansions, Expansion::Headers) ||
         wanted(expansions, Expansion::RawMessage);
}

std::string describe_message(const store::Message& message, const std::optional<store::RawMessage>& raw,
                             const store::Activity& activity, const Json& expansions) {
  const mail::Content content = raw && wants_content(expansions) ? mail::read_content(raw->bytes()) : mail::Content{};
  auto json = writer();
  json.begin_object().field("id", message.id).field("token", message.token);
  const auto begin = [&](Expansion expansion) {
    if (!wanted(expansions, expansion)) return false;
    json.key(kNames[static_cast<std::size_t>(expansion)]);
    return true;
  };
  if (begin(Expansion::Status)) add_status(json, message);
  if (begin(Expansion::Details)) add_details(json, message);
  if (begin(Expansion::Inspection)) add_inspection(json, message);
  if (begin(Expansion::PlainBody)) json.value(content.plain);
  if (begin(Expansion::HtmlBody)) json.value(content.html);
  if (begin(Expansion::Attachments)) add_attachments(json, content);
  if (begin(Expansion::Headers)) add_headers(json, raw);
  if (begin(Expansion::RawMessage)) json.value(base64_in_short_lines(raw ? raw->bytes() : "\r\n\r\n"));
  if (begin(Expansion::ActivityEntries)) add_activity(json, activity);
  return json.end_object().take();
}

}  // namespace posthaste::api::v1
