// send/raw: a finished message for an envelope (http-api.md section 8).
#include "api/v1/recipients.h"
#include "api/v1/send_fields.h"
#include "api/v1/sender.h"
#include "api/v1/text.h"
#include "base/strings.h"
#include "intake/acceptance.h"
#include "mail/header.h"

namespace posthaste::api::v1 {

namespace {

struct RawFields {
  std::vector<std::string> rcpt_to;
  std::string mail_from, data, tag;
  bool bounce = false;
};

std::expected<std::vector<std::string>, Answer> read_recipients(const Json& value, bool modern) {
  std::vector<std::string> found;
  if (modern && value.text() && !value.blank()) return std::vector{*value.text()};
  if (!value.array()) return std::unexpected(missing_parameter("rcpt_to"));
  for (const auto& item : *value.array()) {
    if (item.is_null()) continue;
    if (!item.text()) return std::unexpected(invalid_parameter("rcpt_to"));
    found.push_back(*item.text());
  }
  return found;
}

std::expected<RawFields, Answer> read_fields(const Call& call) {
  const Json& parameters = call.parameters;
  auto recipients = read_recipients(parameters["rcpt_to"], call.modern());
  if (!recipients) return std::unexpected(std::move(recipients.error()));
  RawFields fields{.rcpt_to = std::move(*recipients)};
  for (const char* name : {"mail_from", "data"}) {
    const Json& value = parameters[name];
    if (value.blank()) return std::unexpected(missing_parameter(name));
    if (!value.text()) return std::unexpected(invalid_parameter(name));
    (std::string_view(name) == "data" ? fields.data : fields.mail_from) = *value.text();
  }
  fields.tag = clean_utf8(parameters["tag"].as_text().value_or(""));
  fields.bounce = read_flag(parameters["bounce"], call.modern());
  return fields;
}

std::string without_white_space(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : text)
    if (!is_blank({&c, 1})) out += c;
  return out;
}

// Lines of the message get CRLF ends where they have none.
std::optional<std::string> decode(const std::string& data, bool modern, Complaints& complaints) {
  std::string bytes;
  if (modern) {
    auto strict = base64_decode(without_white_space(data));
    if (!strict) return complain(complaints, "data", "is not base64"), std::nullopt;
    bytes = std::move(*strict);
  } else {
    bytes = base64_decode_lenient(data);
  }
  if (bytes.find('\0') != std::string::npos)
    return complain(complaints, "data", "holds a NUL character, which mail cannot carry"), std::nullopt;
  return intake::normalize_line_ends(std::move(bytes));
}

// One From field, all of its mailboxes authorised; several fields are how a forged one hides behind a good one.
std::optional<AuthorisedSender> sender_of(const Call& call, std::string_view message) {
  const auto fields = mail::header_fields(message);
  const auto is_from = [](const auto& field) { return field.is("From"); };
  if (std::ranges::count_if(fields, is_from) != 1) return std::nullopt;
  return authorise_sender(*call.directory, call.server, fields);
}

std::string bare(std::string_view address) {
  address = trim(address);
  if (address.starts_with('<') && address.ends_with('>')) address = trim(address.substr(1, address.size() - 2));
  return std::string(address);
}

std::string envelope_sender(const Call& call, const std::string& given, Complaints& complaints) {
  const std::string address = call.modern() ? bare(given) : given;
  const bool fine = !call.modern() || address.empty() || is_deliverable_address(address);
  if (!fine) complain(complaints, "mail_from", fmt::format("\"{}\" is not a valid e-mail address", address));
  if (!has_storable_length(address)) complain(complaints, "mail_from", "is too long for an e-mail address");
  return address;
}

std::vector<Recipient> recipients_of(const Call& call, const RawFields& fields, Complaints& complaints) {
  Recipients recipients(call.config().api.v1_invalid_recipients == "reject", call.modern());
  std::set<std::string_view> seen;
  for (const auto& given : fields.rcpt_to)
    if (seen.insert(given).second)
      recipients.add("rcpt_to", given, call.modern() ? with_ascii_domain(bare(given)) : given, complaints);
  return recipients.all();
}

std::expected<Outgoing, Answer> check(const Call& call) {
  auto fields = read_fields(call);
  if (!fields) return std::unexpected(std::move(fields.error()));
  const auto most = call.config().api.max_recipients;
  if (fields->rcpt_to.size() > static_cast<std::size_t>(most))
    return std::unexpected(error("TooManyRecipients",
                                 fmt::format("The maximum number of recipients has been reached (maximum {})", most)));

  Complaints complaints;
  auto raw = decode(fields->data, call.modern(), complaints);
  if (!raw) return std::unexpected(validation_error(complaints));
  const auto sender = sender_of(call, *raw);
  if (!sender)
    return std::unexpected(
        error("UnauthenticatedFromAddress", "The From address is not authorised to send mail from this server"));

  Outgoing outgoing;
  outgoing.recipients = recipients_of(call, *fields, complaints);
  outgoing.mail_from = envelope_sender(call, fields->mail_from, complaints);
  if (utf8_prefix(fields->tag, 255) != fields->tag) complain(complaints, "tag", "is longer than 255 characters");
  if (!complaints.empty()) return std::unexpected(validation_error(complaints));
  if (call.modern() && outgoing.recipients.empty())
    return std::unexpected(error("NoRecipients", "There are no recipients defined to receive this message"));
  outgoing.raw = std::move(*raw);
  outgoing.tag = fields->tag;
  outgoing.domain_id = sender->domain_id;
  outgoing.bounce = fields->bounce;
  return outgoing;
}

}  // namespace

io::Task<Answer> send_raw(Call call) {
  auto checked = check(call);
  if (!checked) co_return std::move(checked.error());
  call.parameters = Json();
  auto store = store_outgoing(call, std::move(*checked));
  Answer answer = co_await std::move(store);
  co_return answer;
}

}  // namespace posthaste::api::v1
