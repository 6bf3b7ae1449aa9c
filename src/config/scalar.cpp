#include "config/scalar.h"

#include <charconv>
#include <cmath>
#include <regex>

#include "base/strings.h"

namespace posthaste::config {

namespace {

using Kind = Scalar::Kind;

std::string without(std::string_view text, std::string_view unwanted) {
  std::string kept;
  for (char c : text)
    if (unwanted.find(c) == std::string_view::npos) kept += c;
  return kept;
}

// Digits of this base behind an optional sign, as decimal text. Too large for 64 bits: stays as it is, a text.
Scalar integer_of(std::string digits, int base, std::string_view written) {
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.erase(0, 1);
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
  if (problem != std::errc() || end != digits.data() + digits.size()) return {Kind::Text, std::string(written)};
  return {Kind::Integer, std::to_string(negative ? -number : number)};
}

// `12:30` is 12 * 3600 + 30 * 60.
Scalar sexagesimal(std::string_view text) {
  const bool negative = text.starts_with('-');
  const std::string digits = without(text, "+-_");
  std::int64_t total = 0, unit = 3600;
  for (auto part : split(digits, ':')) {
    total += parse_int(part).value_or(0) * unit;
    unit /= 60;
  }
  return {Kind::Integer, std::to_string(negative ? -total : total)};
}

std::string float_text(double number) {
  std::string text = fmt::format("{}", number);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::optional<Scalar> read_number(const std::string& text) {
  static const std::regex binary("[-+]?0b[01_,]+"), octal("[-+]?0[0-7_,]+"), hex("[-+]?0x[0-9a-fA-F_,]+"),
      decimal("[-+]?(0|[1-9]([0-9]|,[0-9]|_[0-9])*)"), time("[-+]?[0-9][0-9_]*(:[0-5]?[0-9]){1,2}"),
      real(R"([-+]?([0-9][0-9_,]*)?\.[0-9]*([eE][+-][0-9]+)?|[-+]?[0-9][0-9_,]*([eE][+-]?[0-9]+))");
  const auto is = [&](const std::regex& form) { return std::regex_match(text, form); };
  const std::string plain = without(text, "_,");
  if (is(binary)) return integer_of(replace_all(plain, "0b", ""), 2, text);
  if (is(octal)) return integer_of(plain, 8, text);
  if (is(hex)) return integer_of(replace_all(plain, "0x", ""), 16, text);
  if (is(decimal)) return integer_of(plain, 10, text);
  if (is(time)) return sexagesimal(text);
  if (is(real) && text.find_first_of("0123456789") != std::string::npos)
    return Scalar{Kind::Float, float_text(std::strtod(plain.c_str(), nullptr))};
  return std::nullopt;
}

// A whole number with blanks around it and `_` between digits, as Ruby's to_i takes it, but nothing behind it.
std::optional<std::int64_t> whole_number(std::string_view text) {
  static const std::regex form("[-+]?[0-9]+(_[0-9]+)*");
  const std::string trimmed(trim(text));
  if (!std::regex_match(trimmed, form)) return std::nullopt;
  return parse_int(without(trimmed, "_"));
}

std::expected<Cast, std::string> cast_integer(const Scalar& scalar) {
  if (scalar.kind == Kind::Boolean) return Cast{std::int64_t{scalar.text == "true"}};
  if (auto number = whole_number(scalar.text)) return Cast{*number};
  return std::unexpected(fmt::format("must be a whole number, is \"{}\"", scalar.text));
}

std::expected<Cast, std::string> cast_real(const Scalar& scalar) {
  const std::string trimmed(trim(scalar.text));
  double number = 0;
  const auto [end, problem] = std::from_chars(trimmed.data(), trimmed.data() + trimmed.size(), number);
  if (problem == std::errc() && end == trimmed.data() + trimmed.size() && std::isfinite(number)) return Cast{number};
  return std::unexpected(fmt::format("must be a number, is \"{}\"", scalar.text));
}

// Exactly Postal's reading: what looks like "on" to a reader but not to Postal must not turn something on.
Cast cast_boolean(const Scalar& scalar) {
  static constexpr std::string_view kOn[] = {"true", "1", "1.0"}, kOff[] = {"false", "0", "no", "off"};
  if (std::ranges::find(kOn, scalar.text) != std::end(kOn)) return {true};
  Cast off{false};
  if (std::ranges::find(kOff, scalar.text) == std::end(kOff))
    off.doubt = fmt::format("\"{}\" is read as false; write true or false", scalar.text);
  return off;
}

}  // namespace

Scalar read_plain_scalar(std::string_view view) {
  const std::string text(view), lower = to_lower(view);
  if (text.empty() || text == "~" || lower == "null") return {};
  if (lower == "yes" || lower == "true" || lower == "on") return {Kind::Boolean, "true"};
  if (lower == "no" || lower == "false" || lower == "off") return {Kind::Boolean, "false"};
  if (auto number = read_number(text)) return *number;
  return {Kind::Text, text};
}

Raw raw_text(std::string_view text) { return {false, {Scalar{Kind::Text, std::string(text)}}}; }

Raw raw_variable(const Setting& setting, std::string_view text) {
  if (setting.type != Type::List) return raw_text(text);
  Raw raw{true, {}};
  if (is_blank(text)) return raw;
  for (auto part : split(text, ',')) raw.items.push_back({Kind::Text, std::string(trim(part))});
  return raw;
}

std::expected<Cast, std::string> cast(const Setting& setting, const Raw& raw) {
  if (setting.type == Type::List) {
    if (!raw.is_list && raw.items.front().kind == Kind::Nothing) return Cast{{}, true};
    std::vector<std::string> items;
    for (const auto& item : raw.items)
      if (!item.empty()) items.push_back(item.text);
    return Cast{std::move(items)};
  }
  if (raw.is_list) return std::unexpected("must be a single value, is a list");
  const Scalar& scalar = raw.items.front();
  if (scalar.empty()) return Cast{{}, true};
  switch (setting.type) {
    case Type::Integer:
      return cast_integer(scalar);
    case Type::Boolean:
      return cast_boolean(scalar);
    case Type::Real:
      return cast_real(scalar);
    default:
      return Cast{scalar.text};
  }
}

}  // namespace posthaste::config
