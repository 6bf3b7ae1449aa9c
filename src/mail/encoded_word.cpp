// RFC 2047 decoding, as lenient as mail in the wild needs: words anywhere, adjacent words of one charset joined before
// they are converted (many writers cut characters in two), wrong charsets forgiven.
#include <iconv.h>

#include <memory>
#include <optional>

#include "base/strings.h"
#include "mail/header.h"

namespace posthaste::mail {

namespace {

struct Word {
  std::string_view charset;
  std::string bytes;  // transfer decoding done
  char encoding = 'Q';
  std::size_t size = 0;  // of the whole word in the text
};

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = ascii_lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string decode_q(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '=' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      out += char(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += text[i] == '_' ? ' ' : text[i];
    }
  }
  return out;
}

// `=?charset*language?Q?text?=` at the start of the text.
std::optional<Word> word_at(std::string_view text) {
  if (!text.starts_with("=?")) return std::nullopt;
  const auto charset_end = text.find('?', 2);
  if (charset_end == std::string_view::npos || charset_end == 2 || charset_end + 2 >= text.size()) return std::nullopt;
  const char encoding = ascii_upper(text[charset_end + 1]);
  if ((encoding != 'Q' && encoding != 'B') || text[charset_end + 2] != '?') return std::nullopt;
  const auto begin = charset_end + 3;
  const auto end = text.find("?=", begin);
  if (end == std::string_view::npos) return std::nullopt;

  const auto charset = text.substr(2, charset_end - 2);
  const auto encoded = text.substr(begin, end - begin);
  if (charset.find_first_of(" \t") != std::string_view::npos) return std::nullopt;
  return Word{charset.substr(0, charset.find('*')),
              encoding == 'Q' ? decode_q(encoded) : base64_decode_lenient(encoded), encoding, end + 2};
}

// Nothing if the charset is unknown or the bytes are not of it.
std::optional<std::string> convert(std::string_view bytes, const char* charset) {
  const iconv_t converter = iconv_open("UTF-8", charset);
  if (converter == iconv_t(-1)) return std::nullopt;
  const std::unique_ptr<void, decltype(&iconv_close)> owner(converter, &iconv_close);

  std::string out(bytes.size() * 4 + 16, '\0');
  char* from = const_cast<char*>(bytes.data());
  char* to = out.data();
  std::size_t from_left = bytes.size(), to_left = out.size();
  if (iconv(converter, &from, &from_left, &to, &to_left) == std::size_t(-1)) return std::nullopt;
  if (iconv(converter, nullptr, nullptr, &to, &to_left) == std::size_t(-1)) return std::nullopt;
  out.resize(out.size() - to_left);
  return out;
}

std::string from_windows_1252(std::string_view bytes) {
  static constexpr char16_t kHigh[32] = {0x20AC, 0xFFFD, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                         0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0xFFFD, 0x017D, 0xFFFD,
                                         0xFFFD, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                         0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0xFFFD, 0x017E, 0x0178};
  std::string out;
  out.reserve(bytes.size() + bytes.size() / 4);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const char16_t point = byte >= 0x80 && byte < 0xA0 ? kHigh[byte - 0x80] : char16_t(byte);
    if (point < 0x80) {
      out += char(point);
    } else if (point < 0x800) {
      out += char(0xC0 | point >> 6);
      out += char(0x80 | (point & 0x3F));
    } else {
      out += char(0xE0 | point >> 12);
      out += char(0x80 | (point >> 6 & 0x3F));
      out += char(0x80 | (point & 0x3F));
    }
  }
  return out;
}

// Names that iconv does not know, or knows as a smaller set than writers mean: what web browsers do too.
std::string_view usual_charset(std::string_view name) {
  static constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
      {"gb2312", "GB18030"},    {"gbk", "GB18030"},         {"ks_c_5601-1987", "CP949"},
      {"ks_c_5601", "CP949"},   {"euc-kr", "CP949"},        {"shift-jis", "CP932"},
      {"shift_jis", "CP932"},   {"x-sjis", "CP932"},        {"iso-8859-8-i", "ISO-8859-8"},
      {"cp-850", "CP850"},      {"windows-1258", "CP1252"}, {"x-mac-roman", "MACINTOSH"},
      {"windows-31j", "CP932"},
  };
  const auto alias = std::ranges::find_if(kAliases, [&](const auto& it) { return iequals(it.first, name); });
  return alias == std::end(kAliases) ? name : alias->second;
}

// Takes the run of encoded words at the front that share charset and encoding; white space between them goes.
// `rest` stands behind the run afterwards.
std::string take_words(std::string_view& rest, Word first) {
  std::string bytes = std::move(first.bytes);
  rest.remove_prefix(first.size);
  for (;;) {
    const auto gap = rest.find_first_not_of(" \t");
    if (gap == std::string_view::npos) break;
    auto next = word_at(rest.substr(gap));
    if (!next) break;
    rest.remove_prefix(gap);  // white space between encoded words is never shown
    if (next->encoding != first.encoding || !iequals(next->charset, first.charset)) break;
    bytes += next->bytes;
    rest.remove_prefix(next->size);
  }
  return to_utf8(bytes, first.charset);
}

}  // namespace

std::string to_utf8(std::string_view bytes, std::string_view charset) {
  if (is_ascii(bytes) && !istarts_with(charset, "iso-2022") && !istarts_with(charset, "utf-") &&
      !iequals(charset, "hz-gb-2312"))
    return std::string(bytes);
  const bool utf8 =
      charset.empty() || iequals(charset, "utf-8") || iequals(charset, "utf8") || iequals(charset, "us-ascii");
  if (!utf8 && charset.size() < 40) {
    const std::string name(usual_charset(charset));
    if (auto converted = convert(bytes, name.c_str()); converted && is_utf8(*converted)) return *converted;
  }
  return is_utf8(bytes) ? std::string(bytes) : from_windows_1252(bytes);
}

std::string decode_text(std::string_view value) {
  const std::string text = unfold(value);
  if (text.find("=?") == std::string::npos) return clean_utf8(to_utf8(text, {}));

  std::string out;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto at = rest.find("=?");
    out += to_utf8(rest.substr(0, at), {});
    if (at == std::string_view::npos) break;
    rest.remove_prefix(at);
    if (auto word = word_at(rest)) {
      out += take_words(rest, std::move(*word));
    } else {
      out += "=?";
      rest.remove_prefix(2);
    }
  }
  return clean_utf8(out);
}

}  // namespace posthaste::mail
