#include "io/http_parser.h"

#include "io/asio.h"

#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/string_body.hpp>

#include "base/strings.h"

namespace posthaste::io {

namespace http = boost::beast::http;

namespace {

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

int status_of(const boost::system::error_code& error) {
  if (error == http::error::body_limit) return 413;
  if (error == http::error::header_limit) return 431;
  return 400;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = ascii_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Path and query; of an absolute target (RFC 9112 3.2.2) what stands behind the authority.
void split_target(HttpRequest& request) {
  std::string_view rest = request.target;
  if (!rest.starts_with('/')) {
    if (const auto scheme = rest.find("://"); scheme != std::string_view::npos) {
      const auto slash = rest.find_first_of("/?", scheme + 3);
      rest = slash == std::string_view::npos ? std::string_view("/") : rest.substr(slash);
    }
  }
  const auto mark = rest.find('?');
  request.path = percent_decode(rest.substr(0, mark));
  if (request.path.empty()) request.path = "/";
  if (mark != std::string_view::npos) request.query = rest.substr(mark + 1);
}

}  // namespace

struct HttpParser::Impl {
  http::request_parser<http::string_body> parser;
};

HttpParser::HttpParser(const HttpLimits& limits) : impl_(std::make_unique<Impl>()) {
  impl_->parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes));
  impl_->parser.body_limit(limits.body_bytes);
}

HttpParser::~HttpParser() = default;

std::expected<std::size_t, int> HttpParser::put(std::string_view bytes) {
  auto& parser = impl_->parser;
  parser.eager(parser.is_header_done());
  boost::system::error_code error;
  const std::size_t used = parser.put(asio::const_buffer(bytes.data(), bytes.size()), error);
  if (error && error != http::error::need_more) return std::unexpected(status_of(error));
  return used;
}

bool HttpParser::head_done() const { return impl_->parser.is_header_done(); }
bool HttpParser::done() const { return impl_->parser.is_done(); }
bool HttpParser::keep_alive() const { return impl_->parser.get().keep_alive(); }
bool HttpParser::http_1_0() const { return impl_->parser.get().version() < 11; }
std::string_view HttpParser::expectation() const { return view(impl_->parser.get()[http::field::expect]); }

HttpRequest HttpParser::head() const {
  const auto& message = impl_->parser.get();
  HttpRequest request;
  request.method = to_upper(view(message.method_string()));
  request.target = view(message.target());
  for (const auto& field : message) request.headers.emplace_back(view(field.name_string()), view(field.value()));
  split_target(request);
  return request;
}

HttpRequest HttpParser::take() {
  HttpRequest request = head();
  request.body = std::move(impl_->parser.get().body());
  return request;
}

std::string percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) {
      decoded += text[i];
      continue;
    }
    decoded += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return decoded;
}

std::string_view reason_of(int status) { return view(http::obsolete_reason(static_cast<http::status>(status))); }

}  // namespace posthaste::io
