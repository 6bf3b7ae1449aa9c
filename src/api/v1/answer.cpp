#include "api/v1/answer.h"

#include <cmath>

namespace posthaste::api::v1 {

void complain(Complaints& complaints, std::string_view field, std::string what) {
  for (auto& [name, texts] : complaints)
    if (name == field) return texts.push_back(std::move(what));
  complaints.push_back({std::string(field), {std::move(what)}});
}

JsonWriter writer() { return JsonWriter(true); }

Answer success(std::string data) { return {.status = "success", .data = std::move(data)}; }

Answer parameter_error(std::string_view message, int http) {
  auto data = writer();
  data.begin_object().field("message", message).end_object();
  return {.status = "parameter-error", .data = data.take(), .http = http};
}

Answer missing_parameter(std::string_view name) {
  return parameter_error(fmt::format("`{}` parameter is required but is missing", name));
}

Answer invalid_parameter(std::string_view name) {
  return parameter_error(fmt::format("`{}` parameter is invalid", name));
}

Answer error(std::string_view code, JsonWriter fields) {
  fields.field("code", code).end_object();
  return {.status = "error", .data = fields.take(), .code = std::string(code)};
}

Answer error(std::string_view code, std::string_view message, int http) {
  auto data = writer();
  data.begin_object();
  if (!message.empty()) data.field("message", message);
  Answer answer = error(code, std::move(data));
  answer.http = http;
  return answer;
}

Answer validation_error(const Complaints& complaints) {
  auto data = writer();
  data.begin_object().field("message", "The provided data was not sufficient to send an email");
  data.key("errors").begin_object();
  for (const auto& [field, texts] : complaints) {
    data.key(field).begin_array();
    for (const auto& text : texts) data.value(text);
    data.end_array();
  }
  data.end_object();
  return error("ValidationError", std::move(data));
}

Answer unavailable() {
  Answer answer =
      error("ServiceUnavailable", "The message could not be stored. Nothing was sent; try again later.", 503);
  answer.headers.emplace_back("Retry-After", "5");
  return answer;
}

Answer too_many_requests(int seconds) {
  Answer answer = error("TooManyRequests", "Too many failed attempts. Try again later.", 429);
  answer.headers.emplace_back("Retry-After", std::to_string(seconds));
  return answer;
}

io::HttpResponse to_response(const Answer& answer, Duration took) {
  const double seconds = std::round(double(took.count()) / 1e3) / 1e3;
  auto body = writer();
  body.begin_object().field("status", answer.status).field("time", seconds);
  body.key("flags").raw(answer.flags).key("data").raw(answer.data).end_object();
  io::HttpResponse response = io::HttpResponse::json(answer.http, body.take());
  response.set("Cache-Control", "max-age=0, private, must-revalidate");
  for (const auto& [name, value] : answer.headers) response.set(name, value);
  response.notes.emplace_back("code", answer.code.empty() ? answer.status : answer.code);
  response.notes.insert(response.notes.end(), answer.notes.begin(), answer.notes.end());
  return response;
}

std::string unix_seconds(Time time) {
  const std::int64_t micros = to_unix_micros(time);
  std::string fraction = fmt::format("{:06}", micros % 1000000);
  while (fraction.size() > 1 && fraction.back() == '0') fraction.pop_back();
  return fmt::format("{}.{}", micros / 1000000, fraction);
}

}  // namespace posthaste::api::v1
