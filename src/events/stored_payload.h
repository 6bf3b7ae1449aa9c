// The payload of a request as it is in the table: our JSON, or the YAML that a Postal wrote (data-model.md 7.3).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/records.h"

namespace posthaste::events {

// As JSON in Postal's style. YAML: mappings and sequences with scalars, the leading colon of symbols dropped, `!binary`
// decoded; other tags, anchors and aliases are refused.
Result<std::string> json_of_payload(std::string_view stored);

// The id of the message that it speaks of; nothing if of none.
std::optional<store::Id> message_of_payload(std::string_view stored);

}  // namespace posthaste::events
