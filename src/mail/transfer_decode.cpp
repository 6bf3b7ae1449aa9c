#include "mail/transfer_decode.h"

#include <array>

#include "base/strings.h"
#include "mail/mime_value.h"

namespace posthaste::mail {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::array<signed char, 256> base64_values() {
  std::array<signed char, 256> values;
  values.fill(-1);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) values[static_cast<unsigned char>(kAlphabet[i])] = char(i);
  return values;
}

class Base64Group {
 public:
  explicit Base64Group(std::string& out) : out_(out) {}

  void put(unsigned value) {
    bits_ = bits_ << 6 | value;
    if (++count_ == 4) end();
  }
  // A group of two gives one byte, of three two; what one character says is no byte.
  void end() {
    for (int have = count_ * 6, shift = have - 8; shift >= 0 && have >= 8; shift -= 8) out_ += char(bits_ >> shift);
    bits_ = 0;
    count_ = 0;
  }

 private:
  std::string& out_;
  unsigned bits_ = 0;
  int count_ = 0;
};

std::string decode_base64(std::string_view body) {
  static const auto kValues = base64_values();
  std::string out;
  out.reserve(body.size() / 4 * 3 + 3);
  Base64Group group(out);
  for (const char c : body) {
    if (const int value = kValues[static_cast<unsigned char>(c)]; value >= 0)
      group.put(unsigned(value));
    else if (c == '=')
      group.end();
  }
  group.end();
  return out;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = ascii_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  const auto line = rest.substr(0, end == std::string_view::npos ? end : end + 1);
  rest.remove_prefix(line.size());
  return line;
}

void decode_escapes(std::string_view line, std::string& out) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    const int high = line[i] == '=' && i + 2 < line.size() ? hex_value(line[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(line[i + 2]) : -1;
    if (low < 0) {
      out += line[i];
      continue;
    }
    out += char(high * 16 + low);
    i += 2;
  }
}

// A line break that was encoded in front of one that is there means the same one.
void drop_encoded_break(std::string_view& line) {
  for (const std::string_view ending : {"=0D=0A", "=0D", "=0A"})
    if (line.ends_with(ending)) return line.remove_suffix(ending.size());
}

std::string decode_quoted_printable(std::string_view body) {
  std::string out;
  out.reserve(body.size());
  for (auto rest = body; !rest.empty();) {
    const std::string_view line = take_line(rest);
    const std::size_t text_end =
        line.find_last_not_of(" \t\r\n") + 1;  // blanks before the line end are the transport's
    std::string_view text = line.substr(0, text_end);
    const std::string_view ending = line.ends_with("\r\n") ? "\r\n" : line.ends_with('\n') ? "\n" : "";
    const bool soft = text.ends_with('=');
    if (soft)
      text.remove_suffix(1);
    else if (!ending.empty())
      drop_encoded_break(text);
    decode_escapes(text, out);
    if (!soft) out += ending;
  }
  return out;
}

void decode_uu_line(std::string_view line, std::string& out) {
  const auto value = [&](std::size_t at) { return at < line.size() ? unsigned(line[at] - ' ') & 63u : 0u; };
  const std::size_t length = value(0), end = out.size() + length;
  for (std::size_t at = 1; out.size() < end; at += 4) {
    const unsigned bits = value(at) << 18 | value(at + 1) << 12 | value(at + 2) << 6 | value(at + 3);
    for (const int shift : {16, 8, 0})
      if (out.size() < end) out += char(bits >> shift);
  }
}

std::string decode_uuencode(std::string_view body) {
  std::string out;
  bool inside = false;
  for (auto rest = body; !rest.empty();) {
    const std::string_view line = trim(take_line(rest));
    if (!inside)
      inside = line.starts_with("begin ");
    else if (line == "end")
      break;
    else if (!line.empty())
      decode_uu_line(line, out);
  }
  return out;
}

}  // namespace

TransferEncoding transfer_encoding(std::string_view value) {
  using enum TransferEncoding;
  if (is_blank(value)) return None;
  const std::string token = parse_mime_value(replace_all(value, "\"", "")).value;
  const auto is = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, token) != names.end();
  };
  if (is({"7bit", "7-bit", "7bits"})) return SevenBit;
  if (is({"8bit", "8-bit", "8bits"})) return EightBit;
  if (is({"quoted-printable"})) return QuotedPrintable;
  if (is({"base64"})) return Base64;
  if (is({"x-uuencode", "uuencode", "x-uue"})) return Uuencode;
  return Binary;
}

std::string decode_transfer(std::string_view body, TransferEncoding encoding) {
  switch (encoding) {
    case TransferEncoding::QuotedPrintable:
      return decode_quoted_printable(body);
    case TransferEncoding::Base64:
      return decode_base64(body);
    case TransferEncoding::Uuencode:
      return decode_uuencode(body);
    default:
      return std::string(body);
  }
}

}  // namespace posthaste::mail
