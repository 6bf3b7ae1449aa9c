#include "mail/bounce_builder.h"

#include <algorithm>

#include "base/strings.h"
#include "mail/build_content.h"
#include "mail/build_header.h"
#include "mail/header.h"

namespace posthaste::mail {

namespace {

constexpr std::size_t kLongestDiagnostic = 500;

struct Part {
  std::string fields, content;
};

// In one line without control characters.
std::string one_line(std::string_view text) {
  std::string out(trim(text));
  std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return out;
}

std::string ascii_line(std::string_view text) {
  std::string out = one_line(text.substr(0, kLongestDiagnostic));
  std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) > 0x7E; }, '?');
  return out;
}

std::uint32_t take_code_point(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  std::uint32_t code = length == 1 ? first : first & (0x7F >> length);
  for (std::size_t i = 1; i < length; ++i) code = (code << 6) | (static_cast<unsigned char>(text[i]) & 0x3F);
  text.remove_prefix(length);
  return code;
}

// `rfc822; ann@x.test`; outside ASCII in the form of RFC 6533 for a report that stays ASCII: `utf-8; j\x{F6}rg@x.test`.
std::string typed_address(std::string_view address) {
  const std::string line = clean_utf8(one_line(address));
  if (is_ascii(line)) return "rfc822; " + line;
  std::string out = "utf-8; ";
  for (std::string_view rest = line; !rest.empty();) {
    const auto code = take_code_point(rest);
    out += code < 0x80 ? std::string(1, char(code)) : fmt::format("\\x{{{:X}}}", code);
  }
  return out;
}

Part text_part(const Bounce& bounce, bool whole) {
  std::string text = fmt::format(
      "This is the mail delivery service for {}.\n\n"
      "Your message could not be delivered. {} is attached.\n\n",
      one_line(bounce.from), whole ? "It" : "Its header");
  if (!bounce.explanation.empty()) text += one_line(bounce.explanation) + "\n\n";
  text += fmt::format(
      "If you need help, write to {} and include these lines:\n\n"
      "Message Token: {}\nOrginal Message ID: {}\nMail from: {}\nRcpt To: {}\n",
      one_line(bounce.contact), bounce.token, one_line(bounce.original_message_id), one_line(bounce.mail_from),
      one_line(bounce.rcpt_to));
  auto encoded = encode_text(clean_utf8(text));
  return {fmt::format("Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: {}\r\n", encoded.encoding),
          std::move(encoded.bytes)};
}

Part status_part(const Bounce& bounce) {
  std::string text = fmt::format("Reporting-MTA: dns; {}\r\nArrival-Date: {}\r\n\r\n", ascii_line(bounce.reporting_mta),
                                 to_rfc5322(bounce.arrival));
  const std::string recipient = typed_address(bounce.rcpt_to);
  text += fmt::format("Original-Recipient: {0}\r\nFinal-Recipient: {0}\r\nAction: failed\r\nStatus: {1}\r\n", recipient,
                      ascii_line(bounce.status));
  if (!bounce.remote_mta.empty()) text += fmt::format("Remote-MTA: dns; {}\r\n", ascii_line(bounce.remote_mta));
  if (!bounce.diagnostic.empty()) text += fmt::format("Diagnostic-Code: {}\r\n", ascii_line(bounce.diagnostic));
  text += fmt::format("Last-Attempt-Date: {}\r\n", to_rfc5322(bounce.date));
  return {"Content-Type: message/delivery-status\r\nContent-Transfer-Encoding: 7bit\r\n", std::move(text)};
}

// RFC 2046 5.2.1: an enclosed message must not be encoded, so it has to be fit to travel as it is.
Part whole_message(std::string bytes) {
  return {fmt::format("Content-Type: message/rfc822\r\nContent-Transfer-Encoding: {}\r\nContent-Disposition: "
                      "attachment;\r\n filename=\"Original Message.eml\"\r\n",
                      is_ascii(bytes) ? "7bit" : "8bit"),
          std::move(bytes)};
}

Part headers_only(std::string_view original) {
  auto encoded = encode_text(header_block(original.substr(0, kLargestReturned)));
  return {fmt::format("Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: {}\r\nContent-Disposition: "
                      "attachment;\r\n filename=\"Original Message.eml\"\r\n",
                      encoded.encoding),
          std::move(encoded.bytes)};
}

std::string fields_of(const Bounce& bounce) {
  std::string fields = fmt::format("Date: {}\r\n", to_rfc5322(bounce.date));
  fields += address_field("From", {fmt::format("Mail Delivery Service <{}>", one_line(bounce.from))});
  fields += address_field("To", {one_line(bounce.to)});
  fields += fmt::format("Message-ID: <{}>\r\n", bounce.message_id);
  fields += text_field("Subject", bounce_subject(bounce.original));
  fields += "Auto-Submitted: auto-replied\r\n";
  const std::string id = one_line(bounce.original_message_id);
  const bool plain = !id.empty() && id.size() <= 500 && is_ascii(id) && id.find_first_of(" <>") == std::string::npos;
  if (plain) fields += fmt::format("In-Reply-To: <{0}>\r\nReferences: <{0}>\r\n", id);
  return fields;
}

}  // namespace

std::string bounce_subject(std::string_view original) {
  return fmt::format("Mail Delivery Failed ({})", subject_of(header_fields(original)));
}

std::string build_bounce(const Bounce& bounce, const RandomText& random) {
  std::string original = bounce.original.size() <= kLargestReturned ? with_crlf(bounce.original) : std::string();
  const bool whole = !original.empty() && has_mail_lines(original);
  const Part parts[] = {text_part(bounce, whole), status_part(bounce),
                        whole ? whole_message(std::move(original)) : headers_only(bounce.original)};
  const auto occurs = [&](const std::string& text) {
    return std::ranges::any_of(parts, [&](const Part& part) { return part.content.find(text) != std::string::npos; });
  };
  std::string boundary;
  do boundary = "=_ph_" + random(24);
  while (occurs(boundary));
  std::string out = fields_of(bounce);
  out += fmt::format(
      "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"{}\"\r\n",
      boundary);
  for (const Part& part : parts) out += fmt::format("\r\n--{}\r\n{}\r\n{}", boundary, part.fields, part.content);
  return out + fmt::format("\r\n--{}--\r\n", boundary);
}

}  // namespace posthaste::mail
