#include "mail/web_url.h"

#include "base/strings.h"

namespace posthaste::mail {

namespace {

constexpr std::string_view kSchemes[] = {"http://", "https://"};

// The scheme at the beginning with its `://`; empty if it is another one.
std::string_view web_scheme(std::string_view text) {
  for (const std::string_view scheme : kSchemes)
    if (istarts_with(text, scheme)) return text.substr(0, scheme.size());
  return {};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'); }
bool high(char c) { return static_cast<unsigned char>(c) >= 0x80; }
bool control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

bool is_host(std::string_view host) {
  if (host.starts_with('['))
    return host.ends_with(']') && host.size() > 3 && std::ranges::all_of(host.substr(1, host.size() - 2), [](char c) {
             return is_word(c) || c == ':' || c == '.' || c == '%';
           });
  return !host.empty() && host != "." &&
         std::ranges::all_of(host, [](char c) { return is_word(c) || c == '.' || c == '-' || c == '_' || high(c); });
}

// The host of `user@host:port`; nothing if it is none.
std::optional<std::string_view> host_of(std::string_view authority) {
  authority.remove_prefix(authority.rfind('@') + 1);
  std::size_t end = authority.starts_with('[') ? authority.find(']') : authority.find(':');
  if (authority.starts_with('[') && end != std::string_view::npos) ++end;
  const std::string_view host = authority.substr(0, end);
  const std::string_view port = end < authority.size() ? authority.substr(end) : std::string_view();
  const bool good_port =
      port.empty() || (port.starts_with(':') && port.size() <= 6 && std::ranges::all_of(port.substr(1), is_digit));
  if (!good_port || !is_host(host)) return std::nullopt;
  return host;
}

// The bytes of a UTF-8 character and its code point; length 0: not one.
struct Character {
  std::size_t length = 0;
  char32_t code = 0;
};
Character utf8_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t length = byte(0) >= 0xF0 ? 4 : byte(0) >= 0xE0 ? 3 : byte(0) >= 0xC2 ? 2 : 0;
  if (length == 0 || length > text.size()) return {};
  char32_t code = byte(0) & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = (code << 6) | (byte(i) & 0x3F);
  }
  return {length, code};
}

// White space, punctuation and symbols outside ASCII.
bool ends_url(char32_t c) {
  return c < 0xC0 || c == 0xD7 || c == 0xF7 || (c >= 0x2000 && c < 0x2070) || (c >= 0x2190 && c < 0x2C00) ||
         (c >= 0x3000 && c < 0x3040) || (c >= 0xFE10 && c < 0xFE70) || (c >= 0xFF00 && c < 0xFF10) ||
         (c >= 0xFF1A && c < 0xFF21) || (c >= 0xFF3B && c < 0xFF41) || (c >= 0xFF5B && c < 0xFF66) || c == 0xFEFF ||
         c >= 0x1F000;
}
// Scripts that put no space behind a URL.
bool spaceless(char32_t c) {
  return (c >= 0x0E00 && c < 0x1000) || (c >= 0x1780 && c < 0x1800) || (c >= 0x2E80 && c < 0xFFF0) || c >= 0x20000;
}

// One URL in a text.
class Reader {
 public:
  Reader(std::string_view text, std::size_t begin, const PlainText& rules)
      : text_(text), begin_(begin), rules_(rules) {}

  // Its end; nothing if it cannot be told. `seen` is how far was looked.
  std::optional<std::size_t> end(std::size_t& seen) {
    const bool bracketed = begin_ > 0 && text_[begin_ - 1] == '<';
    at_ = begin_;
    bool clear = true;
    while (at_ < text_.size() && clear && take(bracketed, clear)) continue;
    seen = at_;
    if (!clear) return std::nullopt;
    std::size_t end = at_;
    const bool closed = bracketed && at_ < text_.size() && text_[at_] == '>';
    if (!closed) end = without_punctuation(end);
    if (rules_.delete_space && goes_on(at_)) return std::nullopt;
    return end;
  }

 private:
  // False at the end of the URL.
  bool take(bool bracketed, bool& clear) {
    const char c = text_[at_];
    if (high(c)) return take_high(clear);
    if (control(c) || std::string_view(" <>\"`\\^|").contains(c)) return false;
    const auto open = std::string_view("([{").find(c), close = std::string_view(")]}").find(c);
    if (open != std::string_view::npos) ++depth_[open];
    if (close != std::string_view::npos && --depth_[close] < 0) {
      if (!bracketed) return false;
      depth_[close] = 0;
    }
    if ((c == '/' || c == '?' || c == '#') && at_ >= begin_ + sizeof("https://") - 1) in_path_ = true;
    ++at_;
    return true;
  }

  bool take_high(bool& clear) {
    const Character character = rules_.utf8 ? utf8_character(text_.substr(at_)) : Character{};
    clear = character.length > 0;
    if (!clear || ends_url(character.code)) return false;
    if (in_path_ && spaceless(character.code)) clear = false;
    at_ += character.length;
    return clear;
  }

  std::size_t without_punctuation(std::size_t end) const {
    while (end > begin_ && std::string_view(".,;:!?'").contains(text_[end - 1])) --end;
    return end;
  }

  // A soft line break follows: `space CRLF`.
  bool goes_on(std::size_t at) const {
    const std::string_view rest = text_.substr(at);
    return rest.starts_with(" \r\n") || rest.starts_with(" \n");
  }

  const std::string_view text_;
  const std::size_t begin_;
  const PlainText& rules_;
  std::size_t at_ = 0;
  int depth_[3] = {0, 0, 0};
  bool in_path_ = false;
};

}  // namespace

std::optional<WebUrl> parse_web_url(std::string_view given) {
  std::string text;
  for (const char c : trim(given))
    if (c != '\t' && c != '\r' && c != '\n') text += c;
  const std::string_view scheme = web_scheme(text);
  if (scheme.empty() || std::ranges::any_of(text, control)) return std::nullopt;
  const std::string_view rest = std::string_view(text).substr(scheme.size());
  const auto host = host_of(rest.substr(0, rest.find_first_of("/?#\\")));
  if (!host) return std::nullopt;
  std::string lower = to_lower(*host);
  return WebUrl{std::move(text), std::move(lower)};
}

std::vector<UrlPlace> find_text_urls(std::string_view text, PlainText rules) {
  std::vector<UrlPlace> found;
  for (std::size_t next = 0; (next = text.find("://", next)) < text.size();) {
    const std::size_t at = next;
    next += 3;
    // The scheme stands before it, and no letter before that: `git+http://` is something else.
    for (const std::size_t length : {std::size_t(4), std::size_t(5)}) {
      const std::size_t least = found.empty() ? 0 : found.back().end;
      if (at < least + length) continue;
      const std::size_t begin = at - length;
      if (web_scheme(text.substr(begin)).size() != length + 3) continue;
      if (begin > least && (is_word(text[begin - 1]) || text[begin - 1] == '+')) continue;
      std::size_t seen = at;
      const auto end = Reader(text, begin, rules).end(seen);
      if (end) found.push_back({begin, *end});
      // Nothing within a URL is one of its own, not even where its end is in doubt.
      next = std::max(next, end ? seen : text.find_first_of(" \t\r\n", seen));
      break;
    }
  }
  return found;
}

}  // namespace posthaste::mail
