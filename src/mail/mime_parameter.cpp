// Parameters that are written in pieces or with a charset of their own (RFC 2231), as encoded words, or as raw bytes.
#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "mail/header.h"
#include "mail/mime_value.h"

namespace posthaste::mail {

namespace {

// `name*2*`: piece 2, with escapes. Without a number: piece 0.
struct Piece {
  std::int64_t number = 0;
  bool escaped = false;
  std::string_view text;
};

std::optional<Piece> piece_of(std::string_view key, std::string_view name, std::string_view text) {
  if (!key.starts_with(name) || key.size() == name.size() || key[name.size()] != '*') return std::nullopt;
  key.remove_prefix(name.size() + 1);
  Piece piece{0, key.empty(), text};
  if (key.ends_with('*')) {
    piece.escaped = true;
    key.remove_suffix(1);
  }
  if (key.empty()) return piece;
  const auto number = parse_int(key);
  if (!number || *number < 0) return std::nullopt;
  piece.number = *number;
  return piece;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = ascii_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string without_escapes(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
    out += escape ? char(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return out;
}

// `charset'language'` in front of the first piece.
std::string take_charset(std::string_view& text) {
  const auto first = text.find('\'');
  const auto second = first == std::string_view::npos ? first : text.find('\'', first + 1);
  if (second == std::string_view::npos) return {};
  const std::string charset(text.substr(0, first));
  text.remove_prefix(second + 1);
  return charset;
}

std::string join_pieces(std::vector<Piece>& pieces) {
  std::ranges::stable_sort(pieces, {}, &Piece::number);
  const std::string charset = pieces[0].escaped ? take_charset(pieces[0].text) : std::string();
  std::string bytes;
  for (const Piece& piece : pieces) bytes += piece.escaped ? without_escapes(piece.text) : std::string(piece.text);
  return clean_utf8(to_utf8(bytes, charset));
}

}  // namespace

std::optional<std::string> MimeValue::decoded(std::string_view name) const {
  std::vector<Piece> pieces;
  const std::string* plain = nullptr;
  for (const auto& [key, text] : parameters) {
    if (key == name && !plain) plain = &text;
    if (const auto piece = piece_of(key, name, text)) pieces.push_back(*piece);
  }
  if (!pieces.empty()) return join_pieces(pieces);
  return plain ? std::optional(decode_text(*plain)) : std::nullopt;
}

}  // namespace posthaste::mail
