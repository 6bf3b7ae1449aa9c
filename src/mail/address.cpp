// A scanner over the unfolded value and, on top of it, the grammar: list of (mailbox | group). Comments and white space
// may stand between any two tokens. A phrase and a bare address begin alike, so words are collected first and what
// follows them decides what they were.
#include "mail/address.h"

#include "base/strings.h"
#include "mail/header.h"

namespace posthaste::mail {

namespace {

constexpr std::size_t kMaxAddresses = 4096;

bool atom_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x80) return true;
  if (byte <= 0x20 || byte == 0x7F) return false;
  return std::string_view("()<>[]:;@\\,.\"").find(c) == std::string_view::npos;
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) { skip(); }

  bool at_end() const { return rest_.empty(); }
  char peek() const { return rest_.empty() ? '\0' : rest_[0]; }
  bool failed() const { return failed_; }

  bool take(char c) {
    if (peek() != c) return false;
    rest_.remove_prefix(1);
    spaced_ = skip();
    return true;
  }

  // An atom, bytes above ASCII included; empty if none is here.
  std::string_view atom() {
    std::size_t n = 0;
    while (n < rest_.size() && atom_char(rest_[n])) ++n;
    const auto word = rest_.substr(0, n);
    rest_.remove_prefix(n);
    spaced_ = skip();
    return word;
  }

  // The content of a quoted string, quoted pairs resolved. Call only where one begins.
  std::string quoted() {
    std::string out;
    std::size_t i = 1;
    for (; i < rest_.size() && rest_[i] != '"'; ++i) {
      if (rest_[i] == '\\' && i + 1 < rest_.size()) ++i;
      out += rest_[i];
    }
    failed_ |= i >= rest_.size();
    rest_.remove_prefix(std::min(i + 1, rest_.size()));
    spaced_ = skip();
    return out;
  }

  // `[1.2.3.4]` with its brackets. Call only where one begins.
  std::string_view literal() {
    const auto end = rest_.find_first_of("]\\[", 1);
    failed_ |= end == std::string_view::npos || rest_[end] != ']';
    const auto text = rest_.substr(0, failed_ ? rest_.size() : end + 1);
    rest_.remove_prefix(text.size());
    skip();
    return text;
  }

  bool spaced() const { return spaced_; }  // white space or a comment followed the last token

 private:
  // White space and comments. True if there was any.
  bool skip() {
    std::size_t i = 0;
    int depth = 0;
    for (; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (c == '(') {
        ++depth;
      } else if (depth > 0) {
        if (c == ')') --depth;
        if (c == '\\') ++i;
      } else if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
        break;
      }
    }
    failed_ |= depth > 0;
    i = std::min(i, rest_.size());
    rest_.remove_prefix(i);
    return i > 0;
  }

  std::string_view rest_;
  bool failed_ = false, spaced_ = false;
};

std::string quote_if_needed(const std::string& local) {
  bool plain = !local.empty();
  for (const char c : local) plain = plain && (c == '.' || atom_char(c));
  if (plain) return local;
  std::string out = "\"";
  for (const char c : local) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

class Parser {
 public:
  explicit Parser(std::string_view text) : scan_(text) {}

  bool list() {
    while (!scan_.at_end()) {
      if (scan_.take(',')) continue;  // obsolete: empty elements
      if (!element()) return false;
      if (!scan_.at_end() && scan_.peek() != ',') return false;
    }
    return !scan_.failed();
  }

  std::vector<Mailbox> found;

 private:
  // Words and dots up to something else. `phrase` reads as people see it, `local` as a local part.
  struct Words {
    std::string phrase, local;
    bool any = false, phrase_at = false;
    bool gap = false;  // two words with no dot between: not a local part
  };

  bool element() {
    Words words = take_words();
    switch (scan_.peek()) {
      case '<':
        return angle(std::move(words));
      case ':':
        return !in_group_ && words.any && group();
      case '@':
        return bare(std::move(words));
      default:
        return false;
    }
  }

  Words take_words() {
    Words words;
    bool dot = true;  // the next word may follow without a gap
    for (;;) {
      const bool spaced = words.any && scan_.spaced();
      if (scan_.peek() == '.') {
        if (!words.any) return words;
        scan_.take('.');
        words.phrase += '.';
        words.local += '.';
        dot = true;
        continue;
      }
      std::string word;
      if (scan_.peek() == '"') {
        word = scan_.quoted();
      } else if (const auto atom = scan_.atom(); !atom.empty()) {
        word = atom;
      } else {
        return words;
      }
      if (spaced && !words.phrase.empty()) words.phrase += ' ';
      words.phrase += word;
      words.local += word;
      words.gap |= !dot;
      words.any = true;
      dot = false;
    }
  }

  // `name <address>`; words are the name.
  bool angle(Words words) {
    scan_.take('<');
    skip_route();
    Words local = take_words();
    Mailbox box;
    box.name = decode_text(words.phrase);
    box.ambiguous = words.phrase_at;
    if (!address(local, box) || !scan_.take('>')) return false;
    return add(std::move(box));
  }

  // `@a,@b:` in front of an address in brackets.
  void skip_route() {
    while (scan_.peek() == '@') {
      scan_.take('@');
      domain();
      while (scan_.take(',')) {
      }
      if (scan_.take(':')) return;
    }
  }

  // `address` without brackets; or, against the grammar, the beginning of `a@b.test <c@d.test>`.
  bool bare(Words words) {
    Mailbox box;
    if (!address(words, box)) return false;
    if (scan_.at_end() || scan_.peek() == ',' || scan_.peek() == ';') return add(std::move(box));

    Words name = take_words();
    if (scan_.peek() != '<') return false;
    Words whole;
    whole.phrase = box.address + (name.any ? " " + name.phrase : "");
    whole.phrase_at = true;
    return angle(std::move(whole));
  }

  // The local part has been read; the @ and the domain follow.
  bool address(const Words& local, Mailbox& box) {
    if (!local.any || local.gap || !scan_.take('@')) return false;
    box.domain = domain();
    box.address = quote_if_needed(local.local) + "@" + box.domain;
    return !box.domain.empty();
  }

  std::string domain() {
    if (scan_.peek() == '[') return std::string(scan_.literal());
    std::string out;
    for (;;) {
      const auto atom = scan_.atom();
      if (atom.empty()) return {};
      out += atom;
      if (!scan_.take('.')) return out;
      out += '.';
      if (scan_.at_end() || !atom_char(scan_.peek())) return out;  // the root's dot
    }
  }

  bool group() {
    scan_.take(':');
    in_group_ = true;
    while (scan_.peek() != ';') {
      if (scan_.take(',')) continue;
      if (scan_.at_end() || !element()) return false;
      if (scan_.peek() != ',' && scan_.peek() != ';') return false;
    }
    in_group_ = false;
    return scan_.take(';');
  }

  bool add(Mailbox box) {
    if (found.size() == kMaxAddresses) return false;
    found.push_back(std::move(box));
    return true;
  }

  Scanner scan_;
  bool in_group_ = false;
};

}  // namespace

std::optional<std::vector<Mailbox>> parse_address_list(std::string_view value) {
  const std::string text = unfold(value);
  if (text.find('\0') != std::string::npos) return std::nullopt;
  Parser parser(text);
  if (!parser.list()) return std::nullopt;
  return std::move(parser.found);
}

std::optional<Mailbox> parse_mailbox(std::string_view text) {
  auto list = parse_address_list(text);
  if (!list || list->size() != 1) return std::nullopt;
  return std::move(list->front());
}

AddressParts split_address(std::string_view address) {
  const auto at = address.rfind('@');
  if (at == std::string_view::npos) return {address, {}};
  return {address.substr(0, at), address.substr(at + 1)};
}

std::string unquote_local_part(std::string_view local) {
  if (local.size() < 2 || local.front() != '"' || local.back() != '"') return std::string(local);
  std::string out;
  for (std::size_t i = 1; i + 1 < local.size(); ++i) {
    if (local[i] == '\\' && i + 2 < local.size()) ++i;
    out += local[i];
  }
  return out;
}

}  // namespace posthaste::mail
