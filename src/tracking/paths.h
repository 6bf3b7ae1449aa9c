// What a request to a tracking host asks for (http-api.md section 19). Pure.
#pragma once

#include <string>
#include <string_view>

namespace posthaste::tracking {

struct Asked {
  enum class What { Link, Pixel, Robots, Greeting };
  What what = What::Greeting;
  std::string_view server, token;  // views of the path
};

// Forms match at the beginning, in any case, whatever follows.
Asked read_path(std::string_view path);

// A parameter of that name, whatever its value.
bool has_parameter(std::string_view query, std::string_view name);

// The value of X-Postal-Track-Host that marks a request as tracking: an integer of 1 (`1`, `01`, `1abc`).
bool says_tracking(std::string_view value);

// The URL as `Location` may carry it: what RFC 3986 has no place for is percent-encoded, an international host is in
// its ASCII form. Empty for what must not be redirected to: other schemes, line breaks.
std::string location_of(std::string_view url);

}  // namespace posthaste::tracking
