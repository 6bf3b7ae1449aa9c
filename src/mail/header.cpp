#include "mail/header.h"

#include <algorithm>

#include "base/strings.h"

namespace posthaste::mail {

namespace {

bool blank(char c) { return c == ' ' || c == '\t'; }

// Takes a line with its end from the front.
std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  const auto line = rest.substr(0, end == std::string_view::npos ? end : end + 1);
  rest.remove_prefix(line.size());
  return line;
}

// RFC 5322 ftext: printable ASCII.
bool is_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7F; });
}

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

bool HeaderField::is(std::string_view other) const { return iequals(name, other); }

std::vector<HeaderField> header_fields(std::string_view message) {
  std::vector<HeaderField> fields;
  fields.reserve(24);
  bool open = false;  // continuation lines belong to the last field
  for (auto rest = message; !rest.empty();) {
    const auto line = take_line(rest);
    if (without_line_end(line).empty()) break;
    if (blank(line[0])) {
      if (!open) continue;
      auto& field = fields.back();
      field.whole = {field.whole.data(), field.whole.size() + line.size()};
      const auto end = without_line_end(field.whole);
      field.value = {field.value.data(), std::size_t(end.data() + end.size() - field.value.data())};
      continue;
    }
    const auto colon = line.find(':');
    auto name = line.substr(0, colon);
    while (!name.empty() && blank(name.back())) name.remove_suffix(1);
    open = colon != std::string_view::npos && is_name(name);
    if (!open) continue;
    if (fields.size() == kMaxHeaderFields) break;
    fields.push_back({name, without_line_end(line).substr(colon + 1), line});
  }
  return fields;
}

std::string_view header_block(std::string_view message) {
  auto rest = message;
  while (!rest.empty()) {
    const auto before = rest;
    if (without_line_end(take_line(rest)).empty()) return message.substr(0, message.size() - before.size());
  }
  return message;
}

const HeaderField* last_field(const std::vector<HeaderField>& fields, std::string_view name) {
  for (auto it = fields.rbegin(); it != fields.rend(); ++it)
    if (it->is(name)) return &*it;
  return nullptr;
}

std::string without_fields(std::string_view block, std::span<const std::string> prefixes) {
  std::string out;
  out.reserve(block.size());
  bool dropping = false;
  auto rest = block;
  while (!rest.empty()) {
    const auto line = take_line(rest);
    if (without_line_end(line).empty()) {  // the body, if there is one
      out.append(line).append(rest);
      return out;
    }
    if (!blank(line[0])) dropping = std::ranges::any_of(prefixes, [&](auto& p) { return istarts_with(line, p); });
    if (!dropping) out.append(line);
  }
  if (!block.ends_with('\n')) out.resize(without_line_end(out).size());
  return out;
}

std::string unfold(std::string_view value) {
  value = trim(value);
  if (value.find('\n') == std::string_view::npos) return std::string(value);
  std::string out;
  out.reserve(value.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool line_end = value[i] == '\n' || (value[i] == '\r' && i + 1 < value.size() && value[i + 1] == '\n');
    if (!line_end) out += value[i];
  }
  return out;
}

std::string subject_of(const std::vector<HeaderField>& fields) {
  const auto* field = last_field(fields, "Subject");
  if (!field) return {};
  return std::string(utf8_prefix(decode_text(field->value), 200));
}

std::string message_id_of(const std::vector<HeaderField>& fields) {
  const auto* field = last_field(fields, "Message-ID");
  if (!field) return {};
  std::string text = decode_text(field->value);
  if (const auto open = text.rfind('<'); open != std::string::npos) text.erase(0, open + 1);
  if (const auto close = text.find('>'); close != std::string::npos) text.erase(close);
  text = std::string(trim(text));
  std::size_t end = std::min<std::size_t>(text.size(), 255);
  while (end > 0 && end < text.size() && (text[end] & 0xC0) == 0x80) --end;
  text.resize(end);
  return text;
}

}  // namespace posthaste::mail
