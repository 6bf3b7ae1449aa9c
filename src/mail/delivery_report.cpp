#include "mail/delivery_report.h"

#include <algorithm>

#include "base/strings.h"
#include "mail/address.h"
#include "mail/header.h"
#include "mail/report_parts.h"
#include "mail/text_bounce.h"

namespace posthaste::mail {

namespace {

constexpr std::size_t kMostRecipients = 100;
constexpr std::size_t kLongestValue = 1000;
constexpr std::size_t kMostReturned = 256 * 1024;
constexpr std::size_t kMostTokens = 20;
constexpr std::size_t kLongestToken = 64;
constexpr std::size_t kMostText = 512 * 1024;

using Fields = std::vector<HeaderField>;

std::string value_of(const Fields& fields, std::string_view name) {
  const auto* field = last_field(fields, name);
  return field ? decode_text(field->value.substr(0, kLongestValue)) : std::string();
}

// `rfc822; ann@x.test` without the type.
std::string without_type(std::string_view value) {
  const auto semicolon = value.find(';');
  return std::string(trim(semicolon == std::string_view::npos ? value : value.substr(semicolon + 1)));
}

void append_code_point(std::string& text, std::uint32_t c) {
  if (c < 0x80) return void(text += char(c));
  if (c < 0x800) {
    text += char(0xC0 | (c >> 6));
  } else if (c < 0x10000) {
    text += char(0xE0 | (c >> 12));
    text += char(0x80 | ((c >> 6) & 0x3F));
  } else {
    text += char(0xF0 | (c >> 18));
    text += char(0x80 | ((c >> 12) & 0x3F));
    text += char(0x80 | ((c >> 6) & 0x3F));
  }
  text += char(0x80 | (c & 0x3F));
}

// RFC 6533 section 3: `\x{E9}` in addresses of type utf-8.
std::string decode_utf8_address(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto close = text.starts_with("\\x{") ? text.find('}') : std::string_view::npos;
    std::uint32_t code = 0;
    bool hex = close != std::string_view::npos && close > 3 && close <= 9;
    for (std::size_t i = 3; hex && i < close; ++i) {
      const char c = ascii_lower(text[i]);
      hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
      code = code * 16 + std::uint32_t(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    if (hex && code > 0 && code <= 0x10FFFF) {
      append_code_point(out, code);
      text.remove_prefix(close + 1);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return clean_utf8(out);
}

// `rfc822; <ann@x.test> (Ann)`, as well as the bare address that some write.
std::string address_of(const Fields& fields, std::string_view name) {
  const std::string value = value_of(fields, name);
  std::string text = without_type(value);
  if (istarts_with(trim(value), "utf-8")) text = decode_utf8_address(text);
  if (const auto mailbox = parse_mailbox(text)) return mailbox->address;
  return text;
}

// `5.1.1 (bad destination mailbox)`: the code alone.
std::string status_code(std::string_view value) {
  value = trim(value);
  const auto code = value.substr(0, std::min(value.find_first_not_of("0123456789."), value.size()));
  const auto parts = split(code, '.');
  const bool form = parts.size() == 3 && parts[0].size() == 1 && std::string_view("245").find(parts[0]) != value.npos &&
                    !parts[1].empty() && parts[1].size() <= 3 && !parts[2].empty() && parts[2].size() <= 3;
  return form ? std::string(code) : std::string();
}

// `failed (undeliverable)`
std::string keyword(std::string_view value) {
  value = trim(value);
  return to_lower(value.substr(0, std::min(value.find_first_of(" \t(;"), value.size())));
}

bool about_recipient(const Fields& fields) {
  return std::ranges::any_of(fields, [](const HeaderField& field) {
    return field.is("Final-Recipient") || field.is("Original-Recipient") || field.is("Action") || field.is("Status");
  });
}

ReportedRecipient recipient_of(const Fields& fields) {
  ReportedRecipient recipient;
  recipient.original = address_of(fields, "Original-Recipient");
  recipient.final = address_of(fields, "Final-Recipient");
  recipient.action = keyword(value_of(fields, "Action"));
  recipient.status = status_code(value_of(fields, "Status"));
  recipient.diagnostic = without_type(value_of(fields, "Diagnostic-Code"));
  recipient.remote_mta = without_type(value_of(fields, "Remote-MTA"));
  recipient.will_retry_until = value_of(fields, "Will-Retry-Until");
  return recipient;
}

bool says_auto_reply(const Fields& fields) {
  return keyword(value_of(fields, "Auto-Submitted")) == "auto-replied" || last_field(fields, "X-Autoreply") ||
         last_field(fields, "X-Autorespond") || iequals(value_of(fields, "Precedence"), "auto_reply");
}

bool is_mail_system(const Fields& fields) {
  const auto mailbox = parse_mailbox(value_of(fields, "From"));
  const auto local = mailbox ? split_address(mailbox->address).local : std::string_view();
  return iequals(local, "mailer-daemon") || iequals(local, "postmaster");
}

bool is_returned_message(std::string_view type) {
  return type == "message/rfc822" || type == "text/rfc822-headers" || type == "message/global" ||
         type == "message/global-headers" || type == "message/rfc822-headers";
}

bool is_status_part(std::string_view type) {
  return type == "message/delivery-status" || type == "message/global-delivery-status";
}

void read_feedback(std::string_view part, Feedback& feedback) {
  const auto fields = header_fields(part);
  feedback.type = keyword(value_of(fields, "Feedback-Type"));
  feedback.user_agent = value_of(fields, "User-Agent");
  feedback.source_ip = value_of(fields, "Source-IP");
  feedback.arrival_date = value_of(fields, last_field(fields, "Arrival-Date") ? "Arrival-Date" : "Received-Date");
  feedback.reported_domain = value_of(fields, "Reported-Domain");
  feedback.original_mail_from = address_of(fields, "Original-Mail-From");
}

void read_texts(const ReportParts& parts, DeliveryReport& report) {
  std::size_t size = 0;
  for (const auto& part : parts.parts) {
    if (!part.type.starts_with("text/") || is_returned_message(part.type) || size >= kMostText) continue;
    size += part.bytes.size();
    report.texts.push_back(clean_utf8(part.bytes));
  }
}

void read_known_text(DeliveryReport& report) {
  for (const auto& text : report.texts) {
    auto bounce = read_text_bounce(text);
    if (!bounce) continue;
    report.kind = DeliveryReport::Kind::Text;
    report.recipients = std::move(bounce->recipients);
    if (report.returned.empty()) report.returned = header_block(bounce->returned).substr(0, kMostReturned);
    return;
  }
}

bool token_character(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string_view token_at_start(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && token_character(text[end])) ++end;
  return text.substr(0, end);
}

void add_token(std::vector<std::string>& tokens, std::string_view token) {
  const bool known = std::ranges::any_of(tokens, [&](const auto& other) { return iequals(other, token); });
  if (!token.empty() && token.size() <= kLongestToken && !known && tokens.size() < kMostTokens)
    tokens.emplace_back(token);
}

}  // namespace

void read_status_part(std::string_view part, DeliveryReport& report) {
  while (!part.empty()) {
    const auto block = header_block(part);
    const auto fields = header_fields(block);
    part.remove_prefix(block.size());
    part.remove_prefix(std::min(part.find_first_not_of("\r\n"), part.size()));
    for (auto [field, into] :
         {std::pair{"Original-Envelope-Id", &report.envelope_id}, std::pair{"Reporting-MTA", &report.reporting_mta},
          std::pair{"Arrival-Date", &report.arrival_date}})
      if (into->empty()) *into = value_of(fields, field);
    if (about_recipient(fields) && report.recipients.size() < kMostRecipients)
      report.recipients.push_back(recipient_of(fields));
    if (report.recipients.size() == kMostRecipients) break;
  }
}

DeliveryReport read_delivery_report(std::string_view message) {
  using Kind = DeliveryReport::Kind;
  DeliveryReport report;
  const auto fields = header_fields(message);
  const auto parts = report_parts(message);
  report.from_mail_system = is_mail_system(fields);
  bool has_status = false, has_feedback = parts.report_type == "feedback-report";
  for (const auto& part : parts.parts) {
    if (is_status_part(part.type)) read_status_part(part.bytes, report);
    if (part.type == "message/feedback-report") read_feedback(part.bytes, report.feedback);
    if (is_returned_message(part.type) && report.returned.empty())
      report.returned = header_block(part.bytes).substr(0, kMostReturned);
    has_status = has_status || is_status_part(part.type);
    has_feedback = has_feedback || part.type == "message/feedback-report";
  }
  report.reporting_mta = without_type(report.reporting_mta);
  read_texts(parts, report);
  if (has_feedback) report.kind = Kind::Feedback;
  if (has_status) report.kind = Kind::Report;
  if (report.kind == Kind::Other) read_known_text(report);
  if (report.kind == Kind::Other && says_auto_reply(fields)) report.kind = Kind::AutoReply;
  return report;
}

std::vector<std::string> tokens_in_headers(std::string_view headers) {
  std::vector<std::string> tokens;
  for (const auto& field : header_fields(headers))
    if (field.is("X-Postal-MsgID")) add_token(tokens, token_at_start(trim(field.value)));
  return tokens;
}

std::vector<std::string> tokens_in_text(std::string_view text) {
  constexpr std::string_view kName = "-postal-msgid:";
  std::vector<std::string> tokens;
  for (auto dash = text.find('-'); dash != std::string_view::npos; dash = text.find('-', dash + 1)) {
    if (dash == 0 || !istarts_with(text.substr(dash), kName)) continue;
    auto rest = text.substr(dash + kName.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n\v\f"), rest.size()));
    add_token(tokens, token_at_start(rest));
  }
  return tokens;
}

}  // namespace posthaste::mail
