#include "mail/mime_value.h"

#include "base/strings.h"

namespace posthaste::mail {

namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  MimeValue parse() {
    MimeValue out;
    out.value = to_lower(word());
    while (skip_to_parameter() && out.parameters.size() < kMaxParameters) {
      std::string name = to_lower(word());
      skip_blanks();
      if (at_end() || text_[at_] != '=') continue;
      ++at_;
      skip_blanks();
      std::string value = !at_end() && text_[at_] == '"' ? quoted() : std::string(words());
      if (!name.empty()) out.parameters.emplace_back(std::move(name), std::move(value));
    }
    return out;
  }

 private:
  bool at_end() const { return at_ >= text_.size(); }

  // White space and comments, which nest.
  void skip_blanks() {
    int depth = 0;
    for (; !at_end(); ++at_) {
      const char c = text_[at_];
      if (c == '\\' && depth > 0) {
        ++at_;
      } else if (c == '(') {
        ++depth;
      } else if (c == ')' && depth > 0) {
        --depth;
      } else if (depth == 0 && !is_space(c)) {
        return;
      }
    }
  }

  bool skip_to_parameter() {
    for (skip_blanks(); !at_end() && text_[at_] != ';'; skip_blanks()) {
      if (text_[at_] == '"')
        quoted();
      else
        ++at_;
    }
    if (at_end()) return false;
    ++at_;
    return true;
  }

  std::string_view word() {
    skip_blanks();
    const std::size_t begin = at_;
    while (!at_end() && !is_space(text_[at_]) && text_[at_] != ';' && text_[at_] != '=' && text_[at_] != '"' &&
           text_[at_] != '(')
      ++at_;
    // A value without quotes may hold `=`, as boundaries of careless writers do.
    if (begin > 0 && text_[begin - 1] == '=')
      while (!at_end() && !is_space(text_[at_]) && text_[at_] != ';' && text_[at_] != '"') ++at_;
    return text_.substr(begin, at_ - begin);
  }

  // Names of files are often written without the quotes that their blanks ask for.
  std::string_view words() {
    std::string_view value = word();
    const char* const begin = value.data();
    for (;;) {
      const std::size_t before = at_;
      const std::string_view more = word();
      const bool belongs = !value.empty() && !more.empty() && (at_end() || (text_[at_] != '=' && text_[at_] != '"'));
      if (!belongs || text_.substr(before, at_ - before).contains('(')) {
        at_ = before;
        return value;
      }
      value = {begin, std::size_t(more.data() + more.size() - begin)};
    }
  }

  std::string quoted() {
    std::string out;
    for (++at_; !at_end() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      if (text_[at_] != '\r' && text_[at_] != '\n') out += text_[at_];
    }
    if (!at_end()) ++at_;
    return out;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string_view MimeValue::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters)
    if (key == name) return value;
  return {};
}

bool MimeValue::has(std::string_view name) const {
  return std::ranges::any_of(parameters, [&](const auto& parameter) {
    const std::string_view key = parameter.first;
    return key.starts_with(name) && (key.size() == name.size() || key[name.size()] == '*');
  });
}

MimeValue parse_mime_value(std::string_view text) { return Parser(text).parse(); }

}  // namespace posthaste::mail
