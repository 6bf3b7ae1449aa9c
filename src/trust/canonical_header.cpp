#include "trust/canonical_header.h"

#include <algorithm>

#include "base/strings.h"

namespace posthaste::trust {

namespace {

constexpr std::string_view kLineEnds = "\r\n";
constexpr std::string_view kWhite = " \t\r\n";

// The position behind the line end at `at`.
std::size_t behind_line_end(std::string_view text, std::size_t at) {
  if (at >= text.size()) return text.size();
  return at + (text.substr(at, 2) == "\r\n" ? 2 : 1);
}

// The name before the colon; blanks between the two are an old form that verifiers accept. Empty if this is no field.
std::string field_name(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == line.npos) return "";
  auto name = line.substr(0, colon);
  while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
  const bool valid = std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
  return valid ? to_lower(name) : "";
}

}  // namespace

HeaderBlock parse_header_block(std::string_view headers) {
  HeaderBlock block;
  std::size_t at = 0;
  while (at < headers.size()) {
    const std::size_t begin = at;
    std::size_t end = std::min(headers.find_first_of(kLineEnds, at), headers.size());
    if (end == begin) {
      block.ended_early = true;
      block.spilled = headers.substr(behind_line_end(headers, end));
      return block;
    }
    at = behind_line_end(headers, end);
    while (at < headers.size() && (headers[at] == ' ' || headers[at] == '\t')) {
      end = std::min(headers.find_first_of(kLineEnds, at), headers.size());
      at = behind_line_end(headers, end);
    }
    const auto line = headers.substr(begin, end - begin);
    if (auto name = field_name(line); !name.empty()) block.fields.push_back({std::move(name), line});
  }
  return block;
}

std::string relaxed_field(std::string_view lower_name, std::string_view line) {
  std::string out(lower_name);
  out += ':';
  line.remove_prefix(line.find(':') + 1);
  bool first = true;
  for (std::size_t at = line.find_first_not_of(kWhite); at < line.size(); at = line.find_first_not_of(kWhite, at)) {
    if (!first) out += ' ';
    first = false;
    const std::size_t end = std::min(line.find_first_of(kWhite, at), line.size());
    out += line.substr(at, end - at);
    at = end;
  }
  return out;
}

}  // namespace posthaste::trust
