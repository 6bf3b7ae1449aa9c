// Requests out of bytes: Boost.Beast's parser behind a narrow door. Only for the .cpp files of this room.
#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <string_view>

#include "io/http.h"

namespace posthaste::io {

// Parses one request.
class HttpParser {
 public:
  explicit HttpParser(const HttpLimits& limits);
  ~HttpParser();

  // Takes bytes from the front and says how many: none when it needs more before it can go on. Stops once behind the
  // head, so that the caller may look at it. Fails with the status that the request deserves: 400, 413 or 431.
  std::expected<std::size_t, int> put(std::string_view bytes);

  bool head_done() const;
  bool done() const;
  bool keep_alive() const;  // what the request's version and Connection header ask for
  bool http_1_0() const;
  // `100-continue`, something else that is not known here, or empty.
  std::string_view expectation() const;

  // The request without its body, once head_done(); peer and time are the caller's to fill.
  HttpRequest head() const;
  // What was parsed so far, moved out; peer and time are the caller's to fill.
  HttpRequest take();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// `/a b` from `/a%20b`; what is no escape stays.
std::string percent_decode(std::string_view text);

// The reason phrase of a status.
std::string_view reason_of(int status);

}  // namespace posthaste::io
