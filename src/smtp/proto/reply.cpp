#include "smtp/proto/reply.h"

#include <fmt/format.h>

namespace posthaste::smtp::proto {

namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

// `250`, `250 text`, `250-text`
bool looks_like_reply(std::string_view line) {
  if (line.size() < 3 || line[0] < '2' || line[0] > '5' || !digit(line[1]) || !digit(line[2])) return false;
  return line.size() == 3 || line[3] == ' ' || line[3] == '-';
}

}  // namespace

ReplyParser::Fed ReplyParser::feed(std::string_view input) {
  std::size_t used = 0;
  while (used < input.size()) {
    const auto rest = input.substr(used);
    const auto end = rest.find('\n');
    const auto piece = rest.substr(0, end);
    if (line_.size() + piece.size() > kMaxLine) return {broken("reply line too long"), used};

    line_ += piece;
    used += end == std::string_view::npos ? piece.size() : end + 1;
    if (end == std::string_view::npos) break;
    if (const State state = take_line(); state != State::More) return {state, used};
  }
  return {State::More, used};
}

ReplyParser::State ReplyParser::take_line() {
  if (line_.ends_with('\r')) line_.pop_back();
  if (!looks_like_reply(line_)) return broken("not an SMTP reply: " + line_.substr(0, 100));
  if (reply_.lines.size() == kMaxLines || reply_.text.size() + line_.size() > kMaxBytes)
    return broken("reply too long");

  const bool last = line_.size() == 3 || line_[3] == ' ';
  reply_.code = (line_[0] - '0') * 100 + (line_[1] - '0') * 10 + (line_[2] - '0');
  reply_.lines.emplace_back(line_.size() > 4 ? line_.substr(4) : std::string());
  if (!reply_.text.empty()) reply_.text += '\n';
  reply_.text += line_;
  line_.clear();
  return last ? State::Done : State::More;
}

ReplyParser::State ReplyParser::broken(std::string why) {
  error_ = std::move(why);
  return State::Broken;
}

void ReplyParser::reset() {
  reply_ = {};
  line_.clear();
  error_.clear();
}

void append_reply(std::string& out, int code, std::string_view enhanced, std::string_view text) {
  for (bool more = true; more;) {
    const auto end = text.find('\n');
    more = end != std::string_view::npos;
    fmt::format_to(std::back_inserter(out), "{}{}", code, more ? '-' : ' ');
    if (!enhanced.empty()) {
      out += enhanced;
      out += ' ';
    }
    out += text.substr(0, end);
    out += "\r\n";
    if (more) text.remove_prefix(end + 1);
  }
}

}  // namespace posthaste::smtp::proto
