#include "delivery/endpoint_payload.h"

#include "base/json.h"
#include "base/strings.h"
#include "delivery/payload_fields.h"
#include "mail/content.h"
#include "mail/header.h"
#include "mail/reply_separator.h"

namespace posthaste::delivery {

namespace {

constexpr std::string_view kForm = "FormData";
constexpr std::string_view kJson = "BodyAsJSON";

using Text = std::optional<std::string>;

Text or_null(std::string_view text) { return text.empty() ? Text() : Text(text); }
Text yes_no(bool yes) { return yes ? "true" : "false"; }

// 1478169798.924355
std::string seconds_text(Time time) { return JsonWriter().value(to_unix_seconds(time)).take(); }

std::string spam_status(const store::Message& message) {
  if (!message.inspected) return "NotChecked";
  return message.spam ? "Spam" : "NotSpam";
}

void put_message(PayloadFields& out, const store::Message& message) {
  out.literal("id", std::to_string(message.id));
  out.text("rcpt_to", message.rcpt_to);
  out.text("mail_from", or_null(message.mail_from));
  out.text("token", message.token);
  out.text("subject", or_null(message.subject));
  out.text("message_id", or_null(message.message_id));
  out.literal("timestamp", seconds_text(message.timestamp));
  // Text, since Postal's column is one.
  out.text("size", message.size ? Text(std::to_string(*message.size)) : Text());
  out.text("spam_status", spam_status(message));
  out.literal("bounce", yes_no(message.bounce));
  out.literal("received_with_ssl", message.received_with_ssl.value_or(false) ? yes_no(true) : Text());
}

void put_content(PayloadFields& out, const store::HttpEndpoint& endpoint, std::string_view bytes) {
  const auto fields = mail::header_fields(bytes);
  const auto value = [&](std::string_view name) { return mail::last_value(fields, name); };
  mail::Content content = mail::read_content(bytes);

  out.text("to", value("to"));
  out.text("cc", value("cc"));
  out.text("from", value("from"));
  out.text("date", value("date"));
  out.text("in_reply_to", value("in-reply-to"));
  out.text("references", value("references"));
  out.text("html_body", content.html);
  out.literal("attachment_quantity", std::to_string(content.attachments.size()));
  out.text("auto_submitted", value("auto-submitted"));
  if (mail::last_field(fields, "reply-to"))
    out.list_of_one("reply_to", value("reply-to"));
  else
    out.literal("reply_to", std::nullopt);

  if (endpoint.strip_replies) {
    const auto reply = mail::separate_reply(content.plain.value_or(""));
    out.text("plain_body", reply.text);
    out.text("replies_from_plain_body", reply.separated);
  } else {
    out.text("plain_body", content.plain);
  }
  if (endpoint.include_attachments) out.files("attachments", content.attachments);
}

// As it is stored once the lines are: header block, empty line, body.
std::string whole_message(const store::RawMessage& raw, std::string_view added_headers) {
  std::string whole(added_headers);
  whole.reserve(added_headers.size() + raw.size() + 4);
  return whole.append(raw.headers()).append("\r\n\r\n").append(raw.body());
}

void put_raw(PayloadFields& out, const store::Message& message, const store::RawMessage& raw,
             std::string_view added_headers) {
  out.literal("id", std::to_string(message.id));
  out.text("rcpt_to", message.rcpt_to);
  out.text("mail_from", or_null(message.mail_from));
  out.base64("message", whole_message(raw, added_headers));
  out.literal("base64", "true");
  out.literal("size", std::to_string(message.size.value_or(0)));
}

}  // namespace

std::string endpoint_payload(const store::HttpEndpoint& endpoint, const store::Message& message,
                             const store::RawMessage& raw, std::string_view added_headers) {
  if (endpoint.encoding != kJson && endpoint.encoding != kForm) return {};
  const auto fields = endpoint.encoding == kForm ? form_fields() : json_fields();
  if (endpoint.format == "Hash") {
    put_message(*fields, message);
    put_content(*fields, endpoint, raw.bytes());
  } else if (endpoint.format == "RawMessage") {
    put_raw(*fields, message, raw, added_headers);
  }
  return fields->take();
}

std::string_view payload_content_type(const store::HttpEndpoint& endpoint) {
  return endpoint.encoding == kForm ? "application/x-www-form-urlencoded" : "application/json";
}

}  // namespace posthaste::delivery
