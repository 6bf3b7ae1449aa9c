#include "mail/build_content.h"

#include <algorithm>

#include "base/strings.h"

namespace posthaste::mail {

namespace {

constexpr std::size_t kLongestLine = 998;         // RFC 5322 2.1.1
constexpr std::size_t kQuotedPrintableLine = 76;  // RFC 2045 6.7 (5), the soft line break included

bool is_plain_text(char c) { return (c >= 0x20 && c < 0x7F) || c == '\t' || c == '\r' || c == '\n'; }

bool needs_escape(char c) { return c == '=' || !((c >= 0x20 && c < 0x7F) || c == '\t'); }

void escape(std::string& out, char c) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  out += '=';
  out += kDigits[byte >> 4];
  out += kDigits[byte & 15];
}

// One line without its end. White space at the end of a line does not survive transport, so it is escaped.
void quote_line(std::string& out, std::string_view line) {
  std::size_t column = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool last = i + 1 == line.size();
    const bool escaped = needs_escape(line[i]) || (last && (line[i] == ' ' || line[i] == '\t'));
    const std::size_t width = escaped ? 3 : 1;
    if (column + width > kQuotedPrintableLine - (last ? 0 : 1)) {
      out += "=\r\n";
      column = 0;
    }
    if (escaped)
      escape(out, line[i]);
    else
      out += line[i];
    column += width;
  }
}

std::string quoted_printable(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 4);
  for (;;) {
    const auto end = text.find("\r\n");
    quote_line(out, text.substr(0, end));
    if (end == std::string_view::npos) return out;
    out += "\r\n";
    text.remove_prefix(end + 2);
  }
}

}  // namespace

std::string with_crlf(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 32);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' || text[i] == '\n') {
      out += "\r\n";
      if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool has_mail_lines(std::string_view text) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\0' || text[i] == '\n') return false;
    if (text[i] == '\r') {
      if (i + 1 >= text.size() || text[i + 1] != '\n') return false;
      ++i;
      length = 0;
    } else if (++length > kLongestLine) {
      return false;
    }
  }
  return true;
}

Encoded encode_text(std::string_view text) {
  std::string lines = with_crlf(text);
  if (std::ranges::all_of(lines, is_plain_text) && has_mail_lines(lines)) return {"7bit", std::move(lines)};
  const auto escapes = std::ranges::count_if(lines, [](char c) { return c != '\r' && c != '\n' && needs_escape(c); });
  if (static_cast<std::size_t>(escapes) * 3 > lines.size()) return {"base64", base64_lines(lines)};
  return {"quoted-printable", quoted_printable(lines)};
}

std::string base64_lines(std::string_view bytes) {
  constexpr std::size_t kBytesPerLine = 57;  // 76 characters
  std::string out;
  out.reserve(bytes.size() / 57 * 78 + 80);
  for (; !bytes.empty(); bytes.remove_prefix(std::min(kBytesPerLine, bytes.size()))) {
    out += base64_encode(bytes.substr(0, kBytesPerLine));
    out += "\r\n";
  }
  return out;
}

}  // namespace posthaste::mail
