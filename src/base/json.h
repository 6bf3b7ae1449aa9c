// Writes JSON text. Keys keep the order in which they are given, which clients of the HTTP API see.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"

namespace posthaste {

// `"text"` with quotes. Invalid UTF-8 becomes U+FFFD. html_safe also escapes < > & U+2028 U+2029 (http-api.md section
// 4).
std::string json_quote(std::string_view text, bool html_safe = false);

class JsonWriter {
 public:
  explicit JsonWriter(bool html_safe = false) : html_safe_(html_safe) {}

  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool on);
  JsonWriter& value(double number);  // shortest form that reads back the same, always with a point: 1700000000.0
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  JsonWriter& value(T number) {
    return raw(std::to_string(number));
  }
  JsonWriter& null() { return raw("null"); }
  template <class T>
  JsonWriter& value(const std::optional<T>& maybe) {
    return maybe ? value(*maybe) : null();
  }
  JsonWriter& raw(std::string_view json);  // a finished value

  template <class T>
  JsonWriter& field(std::string_view name, const T& content) {
    key(name);
    return value(content);
  }

  const std::string& text() const { return out_; }
  std::string take() { return std::move(out_); }

 private:
  void separate();

  std::string out_;
  bool html_safe_;
  bool first_ = true;  // no comma before the next item
};

}  // namespace posthaste
