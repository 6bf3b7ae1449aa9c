#include "api/v1/send_fields.h"

#include "api/v1/text.h"
#include "base/strings.h"

namespace posthaste::api::v1 {

namespace {

constexpr std::size_t kMaxAddresses = 50;

// Lists inside the list are flattened, null is skipped. False for anything that is no text.
bool flatten(const Json::Array& items, std::vector<std::string>& into) {
  for (const auto& item : items) {
    if (item.is_null()) continue;
    if (const auto* text = item.text())
      into.push_back(*text);
    else if (!item.array() || !flatten(*item.array(), into))
      return false;
  }
  return true;
}

class Reader {
 public:
  explicit Reader(const Json& parameters) : parameters_(parameters) {}

  std::vector<std::string> addresses(std::string_view name) {
    const Json& value = parameters_[name];
    if (const auto* text = value.text()) return split_list(*text);
    std::vector<std::string> found;
    const bool fine = value.is_null() || (value.array() && flatten(*value.array(), found));
    if (!fine) reject(name);
    return found;
  }

  // Text; null and an absent key are empty. `lenient` takes numbers and booleans by their text form.
  std::string text(std::string_view name, bool lenient) {
    const Json& value = parameters_[name];
    if (value.text()) return *value.text();
    const auto form = lenient || value.is_null() ? value.as_text() : std::nullopt;
    if (!form) reject(name);
    return form.value_or("");
  }

  std::optional<std::string> body(std::string_view name) {
    std::string found = text(name, false);
    return is_unicode_blank(found) ? std::nullopt : std::optional(std::move(found));
  }

  std::vector<std::string> reply_to() {
    if (parameters_["reply_to"].array()) return addresses("reply_to");
    const std::string one = text("reply_to", true);
    return is_unicode_blank(one) ? std::vector<std::string>{} : std::vector<std::string>{one};
  }

  std::vector<mail::Attachment> attachments() {
    const Json& value = parameters_["attachments"];
    std::vector<mail::Attachment> found;
    if (value.is_null()) return found;
    if (!value.array()) return reject("attachments"), found;
    for (const auto& item : *value.array())
      if (item.object()) found.push_back(attachment(item));
    return found;
  }

  std::optional<std::string> rejected;  // name of the first parameter of a wrong type

 private:
  void reject(std::string_view name) {
    if (!rejected) rejected = std::string(name);
  }

  std::string attachment_text(const Json& item, std::string_view key, bool lenient) {
    const Json& value = item[key];
    if (value.text()) return *value.text();
    const auto form = lenient || value.is_null() ? value.as_text() : std::nullopt;
    if (!form) reject("attachments");
    return form.value_or("");
  }

  mail::Attachment attachment(const Json& item) {
    mail::Attachment made;
    made.name = attachment_text(item, "name", true);
    made.content_type = attachment_text(item, "content_type", true);
    if (made.content_type.empty()) made.content_type = "application/octet-stream";
    made.data = base64_decode_lenient(attachment_text(item, "data", false));
    made.is_inline = iequals(attachment_text(item, "disposition", true), "inline");
    made.content_id = clean_content_id(attachment_text(item, "content_id", true));
    return made;
  }

  // Without angle brackets; what no header line could hold makes it none.
  static std::string clean_content_id(std::string_view id) {
    id = trim(id);
    if (id.starts_with('<') && id.ends_with('>') && id.size() > 2) id = id.substr(1, id.size() - 2);
    const bool fine = id.size() <= 200 && std::ranges::all_of(id, [](char c) {
                        return c > 0x20 && c < 0x7F && c != '<' && c != '>' && c != '"' && c != '\\';
                      });
    return fine ? std::string(id) : std::string();
  }

  const Json& parameters_;
};

std::optional<Answer> too_many(const std::vector<std::string>& list, std::string_view name) {
  if (list.size() <= kMaxAddresses) return std::nullopt;
  return error(fmt::format("TooMany{}Addresses", name),
               fmt::format("The maximum number of {} addresses has been reached (maximum {})", name, kMaxAddresses));
}

bool nobody(const std::vector<std::string>& list) {
  return std::ranges::all_of(list, [](const auto& entry) { return strip_address(entry).empty(); });
}

std::optional<Answer> attachment_fault(const std::vector<mail::Attachment>& attachments) {
  for (const auto& attachment : attachments) {
    if (is_unicode_blank(attachment.name)) return error("AttachmentMissingName", "An attachment is missing a name");
    if (is_blank(attachment.data)) return error("AttachmentMissingData", "An attachment is missing data");
  }
  return std::nullopt;
}

}  // namespace

bool read_flag(const Json& value, bool modern) {
  if (value.is_null()) return false;
  if (const auto* flag = value.boolean()) return *flag;
  if (!modern) return true;
  if (const auto* number = value.integer()) return *number != 0;
  if (const auto* text = value.text()) return !text->empty() && *text != "0" && !iequals(*text, "false");
  return true;
}

std::expected<SendFields, Answer> read_send_fields(const Json& parameters, bool modern) {
  Reader reader(parameters);
  SendFields fields;
  fields.to = reader.addresses("to");
  fields.cc = reader.addresses("cc");
  fields.bcc = reader.addresses("bcc");
  fields.from = reader.text("from", false);
  fields.sender = reader.text("sender", false);
  fields.subject = reader.text("subject", true);
  fields.tag = reader.text("tag", true);
  fields.reply_to = reader.reply_to();
  fields.plain = reader.body("plain_body");
  fields.html = reader.body("html_body");
  fields.attachments = reader.attachments();
  fields.headers = parameters["headers"].object() ? &parameters["headers"] : nullptr;
  fields.bounce = read_flag(parameters["bounce"], modern);
  if (reader.rejected) return std::unexpected(invalid_parameter(*reader.rejected));
  return fields;
}

std::optional<Answer> first_fault(const SendFields& fields, const std::optional<AuthorisedSender>& sender) {
  if (nobody(fields.to) && nobody(fields.cc) && nobody(fields.bcc))
    return error("NoRecipients", "There are no recipients defined to receive this message");
  if (auto fault = too_many(fields.to, "To")) return fault;
  if (auto fault = too_many(fields.cc, "CC")) return fault;
  if (auto fault = too_many(fields.bcc, "BCC")) return fault;
  if (!fields.plain && !fields.html) return error("NoContent", "There is no content defined for this e-mail");
  if (is_unicode_blank(fields.from)) return error("FromAddressMissing", "The From address is missing and is required");
  if (!sender)
    return error("UnauthenticatedFromAddress", "The From address is not authorised to send mail from this server");
  return attachment_fault(fields.attachments);
}

}  // namespace posthaste::api::v1
