#include "events/payload.h"

#include <cmath>

#include "base/json.h"
#include "base/strings.h"

namespace posthaste::events {

namespace {

constexpr std::size_t kMostOutput = 512;  // characters, as Postal
constexpr std::size_t kCut = 4096;        // characters of a long value, where the whole is too long

constexpr bool kHtmlSafe = true;

// Characters that YAML readers refuse although JSON allows them.
std::string for_yaml(std::string json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string_view rest(json.data() + i, json.size() - i);
    if (json[i] == '\x7f') {
      out += "\\u007f";
    } else if (rest.size() > 1 && rest[0] == '\xc2' && static_cast<unsigned char>(rest[1]) < 0xa0) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned char>(rest[1]));
      i += 1;
    } else if (rest.starts_with("\xef\xbb\xbf")) {
      out += "\\ufeff";
      i += 2;
    } else if (rest.starts_with("\xef\xbf\xbe") || rest.starts_with("\xef\xbf\xbf")) {
      out += rest[2] == '\xbe' ? "\\ufffe" : "\\uffff";
      i += 2;
    } else {
      out += json[i];
    }
  }
  return out;
}

// What Postal has as NULL is an empty text here.
std::optional<std::string> or_null(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(clean_utf8(text));
}

std::string_view spam_status(const store::Message& message) {
  if (!message.inspected) return "NotChecked";
  return message.spam ? "Spam" : "NotSpam";
}

void put_server(JsonWriter& json, const store::Directory& directory, const store::Server& server) {
  const auto* organization = directory.organization(server.organization_id);
  json.key("server").begin_object();
  json.field("uuid", server.uuid).field("name", server.name).field("permalink", server.permalink);
  json.field("organization", organization ? std::optional(organization->permalink) : std::nullopt).end_object();
}

// A message's hash with its subject cut to so many characters.
void put_message(JsonWriter& json, std::string_view key, const store::Message& message, std::size_t longest) {
  auto subject = or_null(message.subject);
  if (subject) subject = std::string(utf8_prefix(*subject, longest));
  if (!key.empty()) json.key(key);
  json.begin_object();
  json.field("id", message.id).field("token", message.token).field("direction", message.scope);
  json.field("message_id", or_null(message.message_id)).field("to", or_null(message.rcpt_to));
  json.field("from", or_null(message.mail_from)).field("subject", subject);
  json.field("timestamp", to_unix_seconds(message.timestamp)).field("spam_status", spam_status(message));
  json.field("tag", or_null(message.tag)).end_object();
}

std::string cut(std::string_view text, std::size_t longest) {
  return std::string(utf8_prefix(clean_utf8(text), longest));
}

void put_report(JsonWriter& json, const store::BounceReport& report) {
  json.key("bounce_report").begin_object();
  json.field("type", report.type).field("action", or_null(report.action)).field("status", or_null(report.status));
  json.field("diagnostic", or_null(cut(report.diagnostic, kMostOutput)));
  json.field("remote_mta", or_null(cut(report.remote_mta, kMostOutput)));
  json.field("recipient", or_null(cut(report.recipient, kMostOutput)));
  json.field("reported_at", to_unix_seconds(report.reported_at)).field("match", report.match).end_object();
}

// Writes the payload with its long values whole, and once more with them cut if it is too long.
template <class Put>
std::string written(Put put) {
  std::string text;
  for (const std::size_t longest : {std::string::npos, kCut}) {
    JsonWriter json(kHtmlSafe);
    json.begin_object();
    put(json, longest);
    json.end_object();
    text = for_yaml(json.take());
    if (text.size() <= kMostPayload) break;
  }
  return text;
}

double hundredths(double seconds) { return std::round(seconds * 100) / 100; }

}  // namespace

std::string message_hash(const store::Message& message) {
  JsonWriter json(kHtmlSafe);
  put_message(json, {}, message, std::string::npos);
  return json.take();
}

std::string status_payload(const store::Message& message, const store::Delivery& delivery) {
  return written([&](JsonWriter& json, std::size_t longest) {
    put_message(json, "message", message, longest);
    json.field("status", delivery.status).field("details", or_null(cut(delivery.details, longest)));
    json.field("output", cut(delivery.output, kMostOutput));
    // Only a transaction was in clear or not, and took time.
    const auto over_tls = delivery.seconds ? std::optional(delivery.sent_with_ssl) : std::nullopt;
    json.field("sent_with_ssl", over_tls).field("timestamp", to_unix_seconds(delivery.timestamp));
    json.field("time", delivery.seconds ? std::optional(hundredths(*delivery.seconds)) : std::nullopt);
  });
}

std::string bounced_payload(const store::Message& original, const store::Message& bounce,
                            const store::BounceReport& report) {
  return written([&](JsonWriter& json, std::size_t longest) {
    put_message(json, "original_message", original, longest);
    put_message(json, "bounce", bounce, longest);
    json.field("details",
               fmt::format("We've received a bounce message for this e-mail. See <msg:{}> for details.", bounce.id));
    json.field("output", cut(clean_utf8(report.diagnostic), kMostOutput));
    json.field("bounce_type", report.type == "hard" ? "hard" : "soft");
    put_report(json, report);
  });
}

std::string complained_payload(const store::Message& original, const Complaint& complaint,
                               const store::Message& report) {
  return written([&](JsonWriter& json, std::size_t longest) {
    put_message(json, "original_message", original, longest);
    json.key("complaint").begin_object();
    json.field("type", or_null(complaint.type)).field("user_agent", or_null(complaint.user_agent));
    json.field("source_ip", or_null(complaint.source_ip)).field("arrival_date", or_null(complaint.arrival_date));
    json.field("reported_domain", or_null(complaint.reported_domain)).end_object();
    put_message(json, "report", report, longest);
  });
}

std::string clicked_payload(const store::Message& message, const Click& click) {
  return written([&](JsonWriter& json, std::size_t longest) {
    put_message(json, "message", message, longest);
    json.field("url", cut(click.url, longest)).field("token", click.token);
    json.field("ip_address", or_null(click.ip_address)).field("user_agent", or_null(cut(click.user_agent, longest)));
    if (click.bot) json.field("bot", *click.bot);
  });
}

std::string loaded_payload(const store::Message& message, const Load& load) {
  return written([&](JsonWriter& json, std::size_t longest) {
    put_message(json, "message", message, longest);
    json.field("ip_address", or_null(load.ip_address)).field("user_agent", or_null(cut(load.user_agent, longest)));
    if (load.bot) json.field("bot", *load.bot);
  });
}

std::string dns_error_payload(const store::Directory& directory, const store::Server& server,
                              const store::Domain& domain) {
  return written([&](JsonWriter& json, std::size_t longest) {
    const auto text = [&](const std::string& value) { return or_null(cut(value, longest)); };
    put_server(json, directory, server);
    json.field("domain", domain.name).field("uuid", domain.uuid).key("dns_checked_at");
    domain.dns_checked_at ? json.value(to_unix_seconds(*domain.dns_checked_at)) : json.null();
    json.field("spf_status", text(domain.spf_status)).field("spf_error", text(domain.spf_error));
    json.field("dkim_status", text(domain.dkim_status)).field("dkim_error", text(domain.dkim_error));
    json.field("mx_status", text(domain.mx_status)).field("mx_error", text(domain.mx_error));
    json.field("return_path_status", text(domain.return_path_status));
    json.field("return_path_error", text(domain.return_path_error));
  });
}

std::string send_limit_payload(const store::Directory& directory, const store::Server& server, std::int64_t volume,
                               std::int64_t limit) {
  return written([&](JsonWriter& json, std::size_t) {
    put_server(json, directory, server);
    json.field("volume", volume).field("limit", limit);
  });
}

std::string envelope(std::string_view event, Time created_at, std::string_view payload, std::string_view uuid) {
  JsonWriter json(kHtmlSafe);
  json.begin_object().field("event", event).field("timestamp", to_unix_seconds(created_at));
  json.key("payload").raw(payload);
  json.field("uuid", uuid).end_object();
  return json.take();
}

}  // namespace posthaste::events
