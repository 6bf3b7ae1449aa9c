#include "mail/date.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/strings.h"

namespace posthaste::mail {

namespace {

using Text = std::string_view;

constexpr std::size_t kMostText = 200;  // a date is a fifth of that
constexpr Text kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};

struct Zone {
  Text name;
  int hours;
};
constexpr Zone kZones[] = {{"ut", 0},   {"utc", 0},  {"gmt", 0},  {"z", 0},    {"est", -5}, {"edt", -4},
                           {"cst", -6}, {"cdt", -5}, {"mst", -7}, {"mdt", -6}, {"pst", -8}, {"pdt", -7},
                           {"wet", 0},  {"west", 1}, {"bst", 1},  {"cet", 1},  {"cest", 2}, {"met", 1},
                           {"eet", 2},  {"eest", 3}, {"msk", 3},  {"jst", 9}};

std::string without_comments(Text text) {
  std::string out;
  int depth = 0;
  for (const char c : text) {
    if (c == '(')
      ++depth;
    else if (c == ')' && depth > 0)
      --depth;
    else if (depth == 0)
      out += c;
  }
  return out;
}

std::vector<Text> words_of(Text text) {
  std::vector<Text> words;
  while (true) {
    const auto begin = text.find_first_not_of(" \t\r\n,");
    if (begin == Text::npos) return words;
    text.remove_prefix(begin);
    const auto end = std::min(text.find_first_of(" \t\r\n,"), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

// All digits, at most so many of them.
std::optional<int> number(Text text, std::size_t longest) {
  if (text.empty() || text.size() > longest || text.find_first_not_of("0123456789") != Text::npos) return std::nullopt;
  return int(*parse_int(text));
}

std::optional<unsigned> month_of(Text word) {
  const auto found = std::ranges::find(kMonths, to_lower(word.substr(0, 3)));
  if (word.size() < 3 || found == std::end(kMonths)) return std::nullopt;
  return unsigned(found - std::begin(kMonths)) + 1;
}

std::optional<int> year_of(Text word) {
  const auto year = number(word, 4);
  if (!year || word.size() < 2) return std::nullopt;
  if (word.size() == 4) return year;
  return *year + (word.size() == 2 && *year < 50 ? 2000 : 1900);
}

std::optional<Duration> clock_of(Text word) {
  const auto parts = split(word, ':');
  if (parts.size() < 2 || parts.size() > 3) return std::nullopt;
  const auto hour = number(parts[0], 2), minute = number(parts[1], 2);
  const auto second = parts.size() == 3 ? number(parts[2], 2) : 0;
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second);
}

std::optional<int> offset_of(Text word) {
  if (word.starts_with('+') || word.starts_with('-')) {
    const auto digits = number(replace_all(word.substr(1), ":", ""), 4);
    if (!digits || *digits % 100 > 59) return std::nullopt;
    const int minutes = *digits / 100 * 60 + *digits % 100;
    return word[0] == '-' ? -minutes : minutes;
  }
  const auto zone = std::ranges::find(kZones, to_lower(word), &Zone::name);
  return zone == std::end(kZones) ? std::nullopt : std::optional(zone->hours * 60);
}

}  // namespace

std::optional<Date> parse_date(std::string_view text) {
  if (text.size() > kMostText) return std::nullopt;
  const std::string bare = without_comments(text);
  std::vector<Text> words = words_of(bare);
  if (!words.empty() && !number(words[0], 2)) words.erase(words.begin());  // the weekday
  if (words.size() < 3 || words.size() > 5) return std::nullopt;

  const auto day = number(words[0], 2);
  const auto month = month_of(words[1]);
  const auto year = year_of(words[2]);
  const auto clock = words.size() > 3 ? clock_of(words[3]) : Duration(0);
  const auto offset = words.size() > 4 ? offset_of(words[4]) : 0;
  if (!day || !month || !year || !clock || !offset) return std::nullopt;

  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month),
                                         std::chrono::day(unsigned(*day))};
  if (!date.ok()) return std::nullopt;
  return Date{Time(std::chrono::sys_days(date)) + *clock - std::chrono::minutes(*offset), *offset};
}

std::string to_text(const Date& date) {
  const int minutes = std::abs(date.offset);
  const std::string zone = fmt::format("{}{:02}{:02}", date.offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
  return to_rfc5322(date.time + std::chrono::minutes(date.offset), zone);
}

}  // namespace posthaste::mail
