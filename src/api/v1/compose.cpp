#include "api/v1/compose.h"

#include <regex>

#include "api/v1/text.h"
#include "base/random.h"
#include "base/strings.h"
#include "mail/build_header.h"

namespace posthaste::api::v1 {

namespace {

// In privacy mode nothing of the client is shown. The client's name is not looked up while it waits.
std::string received(const Call& call) {
  const std::string ip = call.client.text();
  const std::string from = call.server.privacy_mode ? "" : fmt::format("from api ({} [{}]) ", ip, ip);
  return fmt::format("Received: {}by {} with HTTP; {}\r\n", from, call.config().postal.web_hostname,
                     to_rfc5322(call.now));
}

bool is_message_id(std::string_view text) {
  static const std::regex form(
      R"(<[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,200}@[A-Za-z0-9!#$%&'*+/=?^_`{|}~.:\[\]-]{1,200}>)");
  return text.size() <= 255 && std::regex_match(text.begin(), text.end(), form);
}

std::string message_id(const Call& call, const std::optional<std::string>& custom) {
  if (custom && call.config().api.keep_message_id && is_message_id(trim(*custom))) return std::string(trim(*custom));
  return fmt::format("<{}@{}>", random_uuid(), call.config().dns.return_path_domain);
}

std::vector<std::string> not_blank(const std::vector<std::string>& entries) {
  std::vector<std::string> kept;
  for (const auto& entry : entries)
    if (!strip_address(entry).empty()) kept.push_back(entry);
  return kept;
}

class Composer {
 public:
  Composer(const Call& call, const SendFields& fields, CustomHeaders& custom)
      : call_(call), fields_(fields), custom_(custom) {}

  std::string head() {
    std::string lines = received(call_) + custom_.take_all("Resent-");
    lines += mail::text_field("Date", custom_.take("Date").value_or(to_rfc5322(call_.now)));
    addresses(lines, "From", {fields_.from});
    addresses(lines, "Sender",
              is_unicode_blank(fields_.sender) ? std::vector<std::string>{} : std::vector{fields_.sender});
    addresses(lines, "Reply-To", fields_.reply_to);
    addresses(lines, "To", not_blank(fields_.to));
    addresses(lines, "Cc", not_blank(fields_.cc));
    lines += mail::text_field("Message-ID", message_id(call_, custom_.take("Message-ID")));
    for (const char* name : {"In-Reply-To", "References"})
      if (const auto value = custom_.take(name)) lines += mail::text_field(name, *value);
    const auto subject = custom_.take("Subject");
    if (!fields_.subject.empty() || subject)
      lines += mail::text_field("Subject", fields_.subject.empty() ? *subject : fields_.subject);
    return lines + custom_.take_all("Comments") + custom_.take_all("Keywords");
  }

 private:
  // The parameter wins over a custom header of that name.
  void addresses(std::string& lines, const std::string& name, const std::vector<std::string>& entries) {
    const auto custom = custom_.take(name);
    if (!entries.empty())
      lines += mail::address_field(name, entries);
    else if (custom)
      lines += mail::address_field(name, {*custom});
  }

  const Call& call_;
  const SendFields& fields_;
  CustomHeaders& custom_;
};

}  // namespace

mail::Composition compose(const Call& call, SendFields fields, CustomHeaders& custom) {
  mail::Composition composition;
  composition.fields = Composer(call, fields, custom).head();
  composition.extra_fields = custom.rest();
  composition.plain = std::move(fields.plain);
  composition.html = std::move(fields.html);
  composition.attachments = std::move(fields.attachments);
  return composition;
}

}  // namespace posthaste::api::v1
