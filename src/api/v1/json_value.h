// JSON that came in, as values. Objects keep the order of their keys; of a key that comes twice the last value counts.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace posthaste::api::v1 {

class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  Json() = default;
  explicit Json(bool flag) : value_(flag) {}
  explicit Json(std::int64_t number) : value_(number) {}
  explicit Json(double number) : value_(number) {}
  explicit Json(std::string text) : value_(std::move(text)) {}
  explicit Json(Array items) : value_(std::move(items)) {}
  explicit Json(Object members) : value_(std::move(members)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  const bool* boolean() const { return std::get_if<bool>(&value_); }
  const std::int64_t* integer() const { return std::get_if<std::int64_t>(&value_); }
  const double* real() const { return std::get_if<double>(&value_); }
  const std::string* text() const { return std::get_if<std::string>(&value_); }
  const Array* array() const { return std::get_if<Array>(&value_); }
  const Object* object() const { return std::get_if<Object>(&value_); }
  Array* array() { return std::get_if<Array>(&value_); }
  Object* object() { return std::get_if<Object>(&value_); }

  // The member of that name; a null value if there is none, or if this is no object.
  const Json& operator[](std::string_view name) const;
  bool has(std::string_view name) const;

  // Null, false, an empty list or object, or a text of white space only.
  bool blank() const;
  // A text as it is, numbers and booleans as written, null as empty text. Nothing for lists and objects.
  std::optional<std::string> as_text() const;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

// Null elements of lists go, at every depth: what web frameworks make of a JSON body.
void drop_nulls_in_lists(Json& value);

inline constexpr int kMaxJsonDepth = 100;
// Fails for anything but one JSON value in valid UTF-8 without byte order mark, nested at most kMaxJsonDepth deep. The
// error says where: `line 1, column 7`.
std::expected<Json, std::string> parse_json(std::string_view text);

}  // namespace posthaste::api::v1
