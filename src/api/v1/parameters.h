// Parameters of a request (http-api.md section 2): the JSON object in the body, or the JSON text in the field `params`.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "api/v1/answer.h"
#include "api/v1/json_value.h"
#include "io/http.h"

namespace posthaste::api::v1 {

// An object, or null when there are none. `body_wins`: keys of the query do not replace those of the body.
std::expected<Json, Answer> read_parameters(const io::HttpRequest& request, bool body_wins, std::size_t max_body);

// The value of a field of an `application/x-www-form-urlencoded` text, or of a query.
std::optional<std::string> form_field(std::string_view form, std::string_view name);
std::vector<std::pair<std::string, std::string>> form_fields(std::string_view form, std::size_t at_most);
// The value of a field of a `multipart/form-data` body.
std::optional<std::string> multipart_field(std::string_view body, std::string_view content_type, std::string_view name);

// The bytes of a gzip text; nothing when it is damaged. Stops at `limit` + 1 bytes.
std::optional<std::string> gunzip(std::string_view bytes, std::size_t limit);

}  // namespace posthaste::api::v1
