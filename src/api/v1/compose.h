// From the fields of send/message to the message (http-api.md section 6).
#pragma once

#include <string>
#include <vector>

#include "api/v1/call.h"
#include "api/v1/custom_headers.h"
#include "api/v1/send_fields.h"
#include "mail/build.h"

namespace posthaste::api::v1 {

// Takes the known names out of `custom`, then what is left goes behind the generated fields.
mail::Composition compose(const Call& call, SendFields fields, CustomHeaders& custom);

}  // namespace posthaste::api::v1
