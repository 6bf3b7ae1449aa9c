#include "base/json.h"

#include <fmt/format.h>

#include <cmath>

#include "base/strings.h"

namespace posthaste {

std::string json_quote(std::string_view text, bool html_safe) {
  const std::string cleaned = is_utf8(text) ? std::string() : clean_utf8(text);
  if (!cleaned.empty()) text = cleaned;
  std::string out = "\"";
  out.reserve(text.size() + 2);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c == '"' || c == '\\')
      (out += '\\') += char(c);
    else if (c == '\n')
      out += "\\n";
    else if (c == '\r')
      out += "\\r";
    else if (c == '\t')
      out += "\\t";
    else if (c == '\b')
      out += "\\b";
    else if (c == '\f')
      out += "\\f";
    else if (c < 0x20)
      out += fmt::format("\\u{:04x}", c);
    else if (html_safe && (c == '<' || c == '>' || c == '&'))
      out += fmt::format("\\u{:04x}", c);
    else if (html_safe && text.substr(i).starts_with("\xE2\x80\xA8"))
      out += "\\u2028", i += 2;
    else if (html_safe && text.substr(i).starts_with("\xE2\x80\xA9"))
      out += "\\u2029", i += 2;
    else
      out += char(c);
  }
  return out += '"';
}

void JsonWriter::separate() {
  if (!first_) out_ += ',';
  first_ = false;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

JsonWriter& JsonWriter::begin_object() {
  raw("{");
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  out_ += '}';
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  raw("[");
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  out_ += ']';
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  out_ += json_quote(name, html_safe_) + ':';
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) { return raw(json_quote(text, html_safe_)); }
JsonWriter& JsonWriter::value(bool on) { return raw(on ? "true" : "false"); }

JsonWriter& JsonWriter::value(double number) {
  if (!std::isfinite(number)) return null();
  if (number == std::floor(number) && std::abs(number) < 1e16) return raw(fmt::format("{:.1f}", number));
  return raw(fmt::format("{}", number));
}

}  // namespace posthaste
