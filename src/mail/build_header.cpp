#include "mail/build_header.h"

#include <algorithm>
#include <optional>

#include "base/strings.h"
#include "mail/address.h"

namespace posthaste::mail {

namespace {

constexpr std::size_t kFoldAt = 76;
constexpr std::size_t kLongestWord = 700;  // a longer word is encoded: with its name (255) a line must end before 998
constexpr std::size_t kEncodedWordText = 63;  // 75 (RFC 2047 2) less `=?UTF-8?B?` and `?=`

bool printable(char c) { return c >= 0x20 && c < 0x7F; }

// One output word with the white space in front of it.
struct Word {
  std::string space, text;
};

std::string fold(std::string_view name, const std::vector<Word>& words) {
  std::string out = std::string(name) + ":";
  std::size_t column = out.size();
  for (const auto& word : words) {
    const std::string space = word.space.empty() ? " " : word.space;
    if (column > name.size() + 1 && column + space.size() + word.text.size() > kFoldAt) {
      out += "\r\n";
      column = 0;
    }
    out += space + word.text;
    column += space.size() + word.text.size();
  }
  if (words.empty()) out += ' ';
  return out + "\r\n";
}

std::vector<Word> split_words(std::string_view text) {
  std::vector<Word> words;
  while (!text.empty()) {
    const std::size_t start = std::min(text.find_first_not_of(" \t"), text.size());
    const std::size_t end = std::min(text.find_first_of(" \t", start), text.size());
    words.push_back({std::string(text.substr(0, start)), std::string(text.substr(start, end - start))});
    text.remove_prefix(end);
  }
  return words;
}

bool needs_encoding(const Word& word) {
  return word.text.size() > kLongestWord || !std::ranges::all_of(word.text, printable);
}

// Characters that may stand for themselves in a Q word in every place (RFC 2047 5 (3)).
bool q_literal(char c) { return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("!*+-/").contains(c); }

std::size_t q_width(std::string_view text) {
  std::size_t width = 0;
  for (char c : text) width += q_literal(c) || c == ' ' ? 1 : 3;
  return width;
}

std::string q_encode(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (q_literal(c))
      out += c;
    else if (c == ' ')
      out += '_';
    else
      out += fmt::format("={:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::size_t b_width(std::string_view text) { return (text.size() + 2) / 3 * 4; }

// The longest front of `text` that fits an encoded word, cut between code points.
std::string_view take_front(std::string_view text, bool base64) {
  std::size_t end = 0;
  while (end < text.size()) {
    std::size_t next = end + 1;
    while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xC0) == 0x80) ++next;
    const auto front = text.substr(0, next);
    if (end > 0 && (base64 ? b_width(front) : q_width(front)) > kEncodedWordText) break;
    end = next;
  }
  return text.substr(0, end);
}

// The text as encoded words; the white space between them belongs to no one.
void encode(std::string_view text, std::string space, std::vector<Word>& into) {
  const bool base64 = b_width(text) < q_width(text);
  while (!text.empty()) {
    const auto front = take_front(text, base64);
    into.push_back({std::exchange(space, " "), fmt::format("=?UTF-8?{}?{}?=", base64 ? 'B' : 'Q',
                                                           base64 ? base64_encode(front) : q_encode(front))});
    text.remove_prefix(front.size());
  }
}

// Words from the first to the last that needs it are encoded together, so that the blanks between them survive.
std::vector<Word> text_words(std::string_view text) {
  const std::string clean = is_utf8(text) ? std::string(text) : clean_utf8(text);
  auto words = split_words(trim(clean));
  const auto first = std::ranges::find_if(words, needs_encoding);
  if (first == words.end()) return words;
  const auto last = std::find_if(words.rbegin(), words.rend(), needs_encoding).base();
  std::string span;
  for (auto word = first; word != last; ++word) span += (word == first ? "" : word->space) + word->text;
  std::vector<Word> out(words.begin(), first);
  encode(span, first->space, out);
  out.insert(out.end(), last, words.end());
  return out;
}

bool is_phrase(std::string_view name) {
  return std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("!#$%&'*+-/=?^_`{|}~ ").contains(c);
  });
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string ascii_form(const Mailbox& mailbox) {
  const auto domain = to_ascii_domain(mailbox.domain);
  if (!domain) return mailbox.address;
  return std::string(split_address(mailbox.address).local) + "@" + *domain;
}

void mailbox_words(const Mailbox& mailbox, std::vector<Word>& into) {
  const std::string address = ascii_form(mailbox);
  if (mailbox.name.empty()) {
    into.push_back({" ", address});
    return;
  }
  if (!std::ranges::all_of(mailbox.name, printable) || mailbox.name.size() > kLongestWord)
    encode(mailbox.name, " ", into);
  else
    for (auto& word : split_words(is_phrase(mailbox.name) ? mailbox.name : quoted(mailbox.name))) into.push_back(word);
  into.push_back({" ", "<" + address + ">"});
}

// One given entry. ASCII that is well-formed enough for a line stays as the client wrote it.
std::vector<Word> entry_words(std::string_view entry) {
  auto words = split_words(trim(entry));
  if (std::ranges::none_of(words, needs_encoding)) return words;
  const auto mailboxes = parse_address_list(entry);
  if (!mailboxes || mailboxes->empty()) return text_words(entry);
  std::vector<Word> out;
  for (const auto& mailbox : *mailboxes) {
    if (!out.empty()) out.back().text += ',';
    mailbox_words(mailbox, out);
  }
  return out;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return c > 0x20 && c < 0x7F && !std::string_view("()<>@,;:\\\"/[]?=").contains(c);
  });
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) || std::string_view("-._~!#$&+^`|").contains(c))
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

// Each character outside ASCII as one `_`.
std::string ascii_fallback(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (printable(c))
      out += c;
    else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80)
      out += '_';
  }
  return out;
}

}  // namespace

bool is_field_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 &&
         std::ranges::all_of(name, [](char c) { return c > 0x20 && c < 0x7F && c != ':'; });
}

std::string text_field(std::string_view name, std::string_view value) { return fold(name, text_words(value)); }

std::string address_field(std::string_view name, const std::vector<std::string>& entries) {
  std::vector<Word> words;
  for (const auto& entry : entries) {
    auto more = entry_words(entry);
    if (more.empty()) continue;
    if (!words.empty()) words.back().text += ',';
    more.front().space = " ";
    words.insert(words.end(), more.begin(), more.end());
  }
  return fold(name, words);
}

std::string parameter(std::string_view name, std::string_view value) {
  if (is_token(value)) return fmt::format("{}={}", name, value);
  const bool ascii = std::ranges::all_of(value, printable);
  if (ascii) return fmt::format("{}={}", name, quoted(value));
  return fmt::format("{}*=UTF-8''{};\r\n {}={}", name, percent_encode(value), name, quoted(ascii_fallback(value)));
}

}  // namespace posthaste::mail
