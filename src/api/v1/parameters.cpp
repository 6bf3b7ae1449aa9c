#include "api/v1/parameters.h"

#include "base/strings.h"

namespace posthaste::api::v1 {

namespace {

std::string_view media_type(std::string_view content_type) {
  return trim(content_type.substr(0, content_type.find(';')));
}

constexpr std::size_t kMaxQueryFields = 100;

bool is_json(const io::HttpRequest& request, std::string_view body) {
  const auto type = media_type(request.header("Content-Type"));
  if (type.empty()) return trim(body).starts_with('{');
  return iequals(type, "application/json") || (istarts_with(type, "application/") && to_lower(type).ends_with("+json"));
}

std::expected<Json, Answer> parse(std::string_view text) {
  auto json = parse_json(text);
  if (json) return std::move(*json);
  return std::unexpected(parameter_error(fmt::format("The request body is not valid JSON ({})", json.error()), 400));
}

// Only an object names parameters.
Json named(Json value) { return value.object() ? std::move(value) : Json(); }

std::expected<Json, Answer> from_json_body(const io::HttpRequest& request, std::string_view body, bool body_wins) {
  auto parsed = body.empty() ? std::expected<Json, Answer>(Json()) : parse(body);
  if (!parsed) return parsed;
  Json parameters = named(std::move(*parsed));
  drop_nulls_in_lists(parameters);
  auto from_query = form_fields(request.query, kMaxQueryFields);
  if (from_query.empty()) return parameters;
  if (!parameters.object()) parameters = Json(Json::Object());
  for (auto& [name, value] : from_query) {
    if (!is_utf8(name) || !is_utf8(value)) return std::unexpected(parameter_error("The query is not valid UTF-8", 400));
    if (!body_wins || !parameters.has(name)) parameters.object()->emplace_back(name, Json(std::move(value)));
  }
  return parameters;
}

std::expected<Json, Answer> from_form(const io::HttpRequest& request, std::string_view body) {
  const auto type = request.header("Content-Type");
  auto params = form_field(request.query, "params");
  if (!params && iequals(media_type(type), "application/x-www-form-urlencoded")) params = form_field(body, "params");
  if (!params && iequals(media_type(type), "multipart/form-data")) params = multipart_field(body, type, "params");
  if (!params || is_blank(*params)) return Json();
  auto parsed = parse(*params);
  if (!parsed) return parsed;
  return named(std::move(*parsed));
}

}  // namespace

std::expected<Json, Answer> read_parameters(const io::HttpRequest& request, bool body_wins, std::size_t max_body) {
  if (!iequals(trim(request.header("Content-Encoding")), "gzip"))
    return is_json(request, request.body) ? from_json_body(request, request.body, body_wins)
                                          : from_form(request, request.body);
  const auto body = gunzip(request.body, max_body);
  if (!body) return std::unexpected(parameter_error("The request body is not valid gzip", 400));
  if (body->size() > max_body)
    return std::unexpected(error("PayloadTooLarge", fmt::format("The request body exceeds {} bytes", max_body), 413));
  return is_json(request, *body) ? from_json_body(request, *body, body_wins) : from_form(request, *body);
}

}  // namespace posthaste::api::v1
