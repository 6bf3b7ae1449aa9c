#include "api/v1/custom_headers.h"

#include "base/strings.h"
#include "mail/build_header.h"

namespace posthaste::api::v1 {

namespace {

// They belong to the message's own structure, its way, or its signatures.
constexpr std::string_view kOurs[] = {"Bcc",          "Content-Type",  "Content-Transfer-Encoding",
                                      "Mime-Version", "Return-Path",   "DKIM-Signature",
                                      "Received",     "X-Postal-MsgID"};
constexpr std::string_view kAddresses[] = {"Sender",      "Reply-To",      "To",        "Cc",
                                           "Resent-From", "Resent-Sender", "Resent-To", "Resent-Cc"};

constexpr std::size_t kMaxFields = 500;

bool among(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::any_of(names, [&](auto other) { return iequals(name, other); });
}

std::string field(const std::string& name, const std::string& value) {
  return among(kAddresses, name) ? mail::address_field(name, {value}) : mail::text_field(name, value);
}

}  // namespace

CustomHeaders::CustomHeaders(const Json* headers, bool modern, Complaints& complaints) {
  if (!headers) return;
  if (headers->object()->size() > kMaxFields) {
    complain(complaints, "headers", fmt::format("there are more than {} headers", kMaxFields));
    return;
  }
  for (const auto& [given, value] : *headers->object()) {
    const std::string name = modern ? given : replace_all(given, "_", "-");
    if (!mail::is_field_name(name)) {
      complain(complaints, "headers", fmt::format("\"{}\" is not a valid header name", given));
    } else if (among(kOurs, name)) {
      dropped_.push_back(name);
    } else {
      std::erase_if(fields_, [&](const auto& other) { return other.first == name; });  // a key that comes twice
      add(name, value, complaints);
    }
  }
}

void CustomHeaders::add(const std::string& name, const Json& value, Complaints& complaints) {
  if (const auto* items = value.array()) {
    for (const auto& item : *items) {
      if (const auto text = item.as_text())
        fields_.emplace_back(name, *text);
      else
        complain(complaints, "headers", fmt::format("\"{}\" must be a text or a list of texts", name));
    }
  } else if (const auto text = value.as_text()) {
    fields_.emplace_back(name, *text);
  } else {
    complain(complaints, "headers", fmt::format("\"{}\" must be a text or a list of texts", name));
  }
}

std::optional<std::string> CustomHeaders::take(std::string_view name) {
  std::optional<std::string> last;
  std::erase_if(fields_, [&](const auto& field) {
    const bool found = iequals(field.first, name);
    if (found) last = field.second;
    return found;
  });
  return last;
}

std::string CustomHeaders::take_all(std::string_view prefix) {
  std::string lines;
  std::erase_if(fields_, [&](const auto& entry) {
    const bool found = istarts_with(entry.first, prefix);
    if (found) lines += field(entry.first, entry.second);
    return found;
  });
  return lines;
}

std::string CustomHeaders::rest() const {
  std::string lines;
  for (const auto& [name, value] : fields_) lines += field(name, value);
  return lines;
}

}  // namespace posthaste::api::v1
