// A value as a source delivered it, before it is cast to its setting's type.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "config/setting.h"

namespace posthaste::config {

// `text` is the value as Ruby would print it: `010` is the integer 8 with text `8`, `yes` the boolean with text `true`.
struct Scalar {
  enum class Kind { Nothing, Boolean, Integer, Float, Text };
  Kind kind = Kind::Nothing;
  std::string text;
  bool empty() const { return kind == Kind::Nothing || text.empty(); }
};

// A plain scalar of YAML 1.1 as Ruby's loader reads it (admin-and-config.md 1.3).
Scalar read_plain_scalar(std::string_view text);

struct Raw {
  bool is_list = false;
  std::vector<Scalar> items;  // one when it is no list
};
Raw raw_text(std::string_view text);
// An environment variable: items of a list stand between commas.
Raw raw_variable(const Setting& setting, std::string_view text);

struct Cast {
  Value value;         // nothing: use the default
  bool empty = false;  // the source gave an empty value
  std::string doubt;   // a warning, or empty
};
// The error says what is wrong.
std::expected<Cast, std::string> cast(const Setting& setting, const Raw& raw);

}  // namespace posthaste::config
