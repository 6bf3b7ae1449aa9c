// Details of a message for messages/message (http-api.md 9.2).
#pragma once

#include <optional>
#include <string_view>

#include "api/v1/json_value.h"
#include "base/json.h"
#include "store/activity.h"
#include "store/messages.h"

namespace posthaste::api::v1 {

enum class Expansion {
  Status,
  Details,
  Inspection,
  PlainBody,
  HtmlBody,
  Attachments,
  Headers,
  RawMessage,
  ActivityEntries
};

// `true` names all, a list those it names; anything else none.
bool wanted(const Json& expansions, Expansion expansion);
// Whether any of them needs the message's bytes.
bool wants_raw(const Json& expansions);

// The whole `data`: id, token, and the expansions in Postal's order. `raw`: nothing when retention has removed it.
std::string describe_message(const store::Message& message, const std::optional<store::RawMessage>& raw,
                             const store::Activity& activity, const Json& expansions);

}  // namespace posthaste::api::v1
