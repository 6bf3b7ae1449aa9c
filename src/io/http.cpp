#include "io/http.h"

#include "base/strings.h"

namespace posthaste::io {
namespace {

template <class Headers>
auto find_header(Headers& headers, std::string_view name) {
  return std::ranges::find_if(headers, [name](const auto& header) { return iequals(header.first, name); });
}

HttpResponse make_response(int status, std::string body, std::string_view type) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  response.set("Content-Type", type);
  return response;
}

}  // namespace

std::string_view HttpRequest::header(std::string_view name) const {
  const auto it = find_header(headers, name);
  return it == headers.end() ? std::string_view() : std::string_view(it->second);
}

bool HttpRequest::has_header(std::string_view name) const { return find_header(headers, name) != headers.end(); }

HttpResponse HttpResponse::text(int status, std::string body) {
  return make_response(status, std::move(body), "text/plain; charset=utf-8");
}

HttpResponse HttpResponse::json(int status, std::string body) {
  return make_response(status, std::move(body), "application/json; charset=utf-8");
}

HttpResponse& HttpResponse::set(std::string_view name, std::string_view value) {
  std::erase_if(headers, [name](const auto& header) { return iequals(header.first, name); });
  headers.emplace_back(name, value);
  return *this;
}

}  // namespace posthaste::io
