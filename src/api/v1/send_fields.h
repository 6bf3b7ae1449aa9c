// The parameters of send/message, read and checked (http-api.md 5.1 to 5.3).
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "api/v1/answer.h"
#include "api/v1/json_value.h"
#include "api/v1/sender.h"
#include "config/config.h"
#include "mail/build.h"

namespace posthaste::api::v1 {

struct SendFields {
  std::vector<std::string> to, cc, bcc;  // as given, empty ones too
  std::string from, sender, subject, tag;
  std::vector<std::string> reply_to;
  std::optional<std::string> plain, html;  // nothing when blank
  std::vector<mail::Attachment> attachments;
  const Json* headers = nullptr;  // an object, or null
  bool bounce = false;
};

// Fails for values of a wrong type: `to` parameter is invalid.
std::expected<SendFields, Answer> read_send_fields(const Json& parameters, bool modern);

// The first fault in Postal's order; nothing when there is none.
std::optional<Answer> first_fault(const SendFields& fields, const std::optional<AuthorisedSender>& sender);

// Truth as the profile has it (12.2): everything but null and false, or JSON's own idea.
bool read_flag(const Json& value, bool modern);

}  // namespace posthaste::api::v1
