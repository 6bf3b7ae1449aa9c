// What an HTTP endpoint is sent of a message (inbound-processing.md 10): JSON or a form, with the message taken apart
// (`Hash`) or whole (`RawMessage`). Keys, their order and their types are Postal's. Pure, never fails.
#pragma once

#include <string>
#include <string_view>

#include "store/messages.h"
#include "store/records.h"

namespace posthaste::delivery {

// `added_headers`: lines in front of `raw` that are not in it. The same message gives the same bytes at each attempt,
// whether the lines are stored by then or not.
std::string endpoint_payload(const store::HttpEndpoint& endpoint, const store::Message& message,
                             const store::RawMessage& raw, std::string_view added_headers);

// `application/json`, `application/x-www-form-urlencoded`.
std::string_view payload_content_type(const store::HttpEndpoint& endpoint);

}  // namespace posthaste::delivery
