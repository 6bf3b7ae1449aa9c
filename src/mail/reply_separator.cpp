// A match of most rules begins with a quote prefix: `>` any number of times at a line start, then white space, line
// ends included. Line starts within that white space lead to the same place, so each place is looked at once, for the
// first of them; that is what keeps the scan linear.
#include "mail/reply_separator.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/strings.h"

namespace posthaste::mail {

namespace {

using Text = std::string_view;
using At = std::size_t;
constexpr At kNone = Text::npos;
constexpr Text kSpace = " \t\r\n\v\f";

struct Range {
  At begin = 0, end = 0;
};

At line_end(Text text, At at) { return std::min(text.find('\n', at), text.size()); }
At skip_space(Text text, At at) { return std::min(text.find_first_not_of(kSpace, at), text.size()); }

// Past the code point at `at`.
At next_point(Text text, At at) {
  for (++at; at < text.size() && (text[at] & 0xC0) == 0x80;) ++at;
  return std::min(at, text.size());
}

bool take(Text& text, Text word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

// -- what may follow a quote prefix: where the match ends, or kNone

At original_message(Text text, At at) {
  Text rest = text.substr(at);
  if (!take(rest, "-----")) return kNone;
  take(rest, " ");
  if (!take(rest, "Original Message")) return kNone;
  take(rest, " ");
  return take(rest, "-----") ? text.size() : kNone;
}

At from_line_before(Text word, Text text, At at) {
  if (!text.substr(at).starts_with("From:")) return kNone;
  const At next = text.find_first_not_of('\n', line_end(text, at));
  return next != kNone && text.substr(next).starts_with(word) ? text.size() : kNone;
}
At from_and_sent(Text text, At at) { return from_line_before("Sent:", text, at); }
At from_and_date(Text text, At at) { return from_line_before("Date:", text, at); }

At german_message(Text text, At at) {
  constexpr Text kStart = "-----Urspr";
  if (!text.substr(at).starts_with(kStart) || at + kStart.size() >= text.size()) return kNone;
  const At behind = next_point(text, at + kStart.size());
  return text.substr(behind).starts_with("ngliche Nachricht----- ") ? text.size() : kNone;
}

// `a ?crit` at the end of the line, with its colon: where it begins.
At wrote_in_french(Text line) {
  constexpr Text kWord = "crit";
  if (!line.ends_with(':')) return kNone;
  line.remove_suffix(1);
  if (line.ends_with(' ')) line.remove_suffix(1);
  if (!line.ends_with(kWord)) return kNone;
  line.remove_suffix(kWord.size());
  if (line.empty()) return kNone;
  At letter = line.size() - 1;
  while (letter > 0 && (line[letter] & 0xC0) == 0x80) --letter;
  return letter >= 2 && line.substr(letter - 2, 2) == "a " ? letter - 2 : kNone;
}

At french_introduction(Text text, At at) {
  if (!text.substr(at).starts_with("Le")) return kNone;
  const At end = line_end(text, at);
  Text line = text.substr(at, end - at);
  line = line.substr(0, line.find_last_not_of(kSpace) + 1);
  const At wrote = wrote_in_french(line);
  if (wrote == kNone || wrote < 2) return kNone;
  const auto points = std::ranges::count_if(line.substr(2, wrote - 2), [](char c) { return (c & 0xC0) != 0x80; });
  if (points < 10 || points > 200) return kNone;
  // White space goes too, as long as a line end stays behind it.
  const At next = skip_space(text, end);
  return next == text.size() ? next : text.rfind('\n', next);
}

At underscores(Text text, At at) { return text.substr(at).starts_with("__________________") ? text.size() : kNone; }
At sent_from_my(Text text, At at) { return text.substr(at).starts_with("Sent from my") ? text.size() : kNone; }
At reply_above(Text text, At at) {
  return text.substr(at).starts_with("=== Please reply above this line ===") ? text.size() : kNone;
}

template <class Match>
std::vector<Range> behind_quote_prefix(Text text, Match match) {
  std::vector<Range> found;
  for (At line = 0; line < text.size();) {
    const At place = skip_space(text, std::min(text.find_first_not_of('>', line), text.size()));
    const At end = place < text.size() ? match(text, place) : kNone;
    if (end != kNone) found.push_back({line, end});
    // White space may have led to a line with a prefix of its own.
    const bool own_prefix =
        end == kNone && place > line && place < text.size() && text[place] == '>' && text[place - 1] == '\n';
    line = own_prefix ? place : line_end(text, end != kNone ? end : place) + 1;
  }
  return found;
}

// -- the rules

std::vector<Range> signature(Text text) {
  for (At line = 0; line < text.size(); line = line_end(text, line) + 1) {
    const Text whole = text.substr(line, line_end(text, line) - line);
    const At hyphens = std::min(whole.find_first_not_of('-'), whole.size());
    if (hyphens >= 2 && hyphens <= 10 && whole.substr(hyphens) == " ") return {{line, text.size()}};
  }
  return {};
}

// Where `wrote:` stands with nothing but white space behind it in its line.
std::vector<At> ends_of_introductions(Text text) {
  constexpr Text kWrote = "wrote:";
  std::vector<At> found;
  for (At at = text.find(kWrote); at != kNone;) {
    const At behind = at + kWrote.size();
    const At next = std::min(text.find_first_not_of(" \t\r\v\f", behind), text.size());
    if (next == text.size() || text[next] == '\n') found.push_back(at);
    at = text.find(kWrote, next);
  }
  return found;
}

std::vector<Range> english_introduction(Text text) {
  const std::vector<At> ends = ends_of_introductions(text);
  if (ends.empty()) return {};
  return behind_quote_prefix(text, [&](Text, At at) {
    if (!text.substr(at).starts_with("On")) return kNone;
    At first = at + 2;
    for (int i = 0; i < 10 && first < text.size(); ++i) first = next_point(text, first);
    At last = first;
    for (int i = 10; i < 200 && last < text.size(); ++i) last = next_point(text, last);
    const auto end = std::ranges::lower_bound(ends, first);
    return end != ends.end() && *end <= last ? text.size() : kNone;
  });
}

std::vector<Range> quoted_lines(Text text) {
  std::vector<Range> found;
  for (At line = 0; line < text.size();) {
    Range block{line, line};
    int lines = 0;
    for (; block.end < text.size() && text[block.end] == '>'; ++lines)
      block.end = std::min(line_end(text, block.end) + 1, text.size());
    if (lines >= 10) found.push_back(block);
    line = lines > 0 ? block.end : line_end(text, line) + 1;
  }
  return found;
}

template <At (*match)(Text, At)>
std::vector<Range> quoted(Text text) {
  return behind_quote_prefix(text, match);
}

constexpr std::vector<Range> (*kRules[])(Text) = {
    signature,
    quoted<original_message>,
    quoted<from_and_sent>,
    quoted<from_and_date>,
    quoted<german_message>,
    quoted<french_introduction>,
    quoted<underscores>,
    english_introduction,
    quoted<sent_from_my>,
    quoted<reply_above>,
    quoted_lines,
};

Text trimmed(Text text) {
  constexpr Text kTrimmed(" \t\r\n\v\f\0", 7);
  const At begin = text.find_first_not_of(kTrimmed);
  return begin == kNone ? Text() : text.substr(begin, text.find_last_not_of(kTrimmed) + 1 - begin);
}

}  // namespace

SeparatedReply separate_reply(std::string_view plain) {
  std::string text = replace_all(plain, "\r", "");
  std::vector<std::string> cuts;
  for (const auto rule : kRules) {
    const std::vector<Range> ranges = rule(text);
    if (ranges.empty()) continue;
    std::string rest;
    At kept = 0;
    for (const Range& range : ranges) {
      rest.append(text, kept, range.begin - kept);
      cuts.push_back(text.substr(range.begin, range.end - range.begin));
      kept = range.end;
    }
    text = rest.append(text, kept);
  }
  std::string separated;
  for (auto cut = cuts.rbegin(); cut != cuts.rend(); ++cut) separated.append(*cut).append("\n");

  SeparatedReply reply{std::string(trimmed(text)), std::nullopt};
  if (const Text what = trimmed(separated); !what.empty()) reply.separated = std::string(what);
  return reply;
}

}  // namespace posthaste::mail
