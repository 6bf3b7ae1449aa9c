// Forms and compressed bodies.
#include <zlib.h>

#include "api/v1/parameters.h"
#include "base/strings.h"
#include "mail/header.h"

namespace posthaste::api::v1 {

namespace {

int hex_digit(char c) {
  const auto at = std::string_view("0123456789abcdef").find(ascii_lower(c));
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

std::string decode_form_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// `name="value"` or `name=value` behind a semicolon.
std::string header_parameter(std::string_view header, std::string_view name) {
  for (auto part : split(header, ';')) {
    part = trim(part);
    if (!istarts_with(part, name) || part.substr(name.size(), 1) != "=") continue;
    auto value = part.substr(name.size() + 1);
    if (value.size() >= 2 && value.starts_with('"') && value.ends_with('"')) value = value.substr(1, value.size() - 2);
    return std::string(value);
  }
  return {};
}

std::string_view name_of_part(std::string_view part, std::string& kept) {
  for (const auto& field : mail::header_fields(part))
    if (field.is("Content-Disposition")) kept = header_parameter(field.value, "name");
  return kept;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> form_fields(std::string_view form, std::size_t at_most) {
  std::vector<std::pair<std::string, std::string>> fields;
  for (auto pair : split(form, '&')) {
    if (pair.empty()) continue;
    if (fields.size() == at_most) break;
    const auto equals = pair.find('=');
    const auto value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    fields.emplace_back(decode_form_text(pair.substr(0, equals)), decode_form_text(value));
  }
  return fields;
}

std::optional<std::string> form_field(std::string_view form, std::string_view name) {
  std::optional<std::string> found;
  for (auto pair : split(form, '&')) {
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && decode_form_text(pair.substr(0, equals)) == name)
      found = decode_form_text(pair.substr(equals + 1));
  }
  return found;
}

std::optional<std::string> multipart_field(std::string_view body, std::string_view content_type,
                                           std::string_view name) {
  const std::string boundary = header_parameter(content_type, "boundary");
  if (boundary.empty()) return std::nullopt;
  const std::string delimiter = "--" + boundary, next = "\r\n" + delimiter;
  auto start = body.find(delimiter);
  while (start != std::string_view::npos) {
    const auto line_end = body.find("\r\n", start);
    const auto end = line_end == std::string_view::npos ? line_end : body.find(next, line_end);
    if (end == std::string_view::npos) return std::nullopt;
    const auto part = body.substr(line_end + 2, end > line_end + 2 ? end - line_end - 2 : 0);
    std::string kept;
    if (name_of_part(part, kept) == name)
      if (const auto blank = part.find("\r\n\r\n"); blank != std::string_view::npos)
        return std::string(part.substr(blank + 4));
    start = end + 2;
  }
  return std::nullopt;
}

std::optional<std::string> gunzip(std::string_view bytes, std::size_t limit) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 16) != Z_OK) return std::nullopt;  // 16: gzip only
  const std::unique_ptr<z_stream, int (*)(z_stream*)> owner(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  std::array<char, 64 * 1024> chunk;
  for (int state = Z_OK; state != Z_STREAM_END;) {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = chunk.size();
    state = inflate(&stream, Z_NO_FLUSH);
    if (state != Z_OK && state != Z_STREAM_END) return std::nullopt;
    out.append(chunk.data(), chunk.size() - stream.avail_out);
    if (out.size() > limit) return out;
  }
  return out;
}

}  // namespace posthaste::api::v1
