#include "smtp/client/capabilities.h"

#include <algorithm>

#include "base/strings.h"

namespace posthaste::smtp::client {

namespace {

using Words = std::vector<std::string>;

// `AUTH=LOGIN` is how servers before RFC 2554 wrote it.
Words words_of(std::string_view line) {
  Words words;
  for (auto word : split(line, ' ')) {
    if (!trim(word).empty()) words.push_back(to_upper(trim(word)));
  }
  if (!words.empty() && words[0].starts_with("AUTH=")) {
    words.insert(words.begin() + 1, words[0].substr(5));
    words[0] = "AUTH";
  }
  return words;
}

std::uint64_t number(std::string_view text) {
  const auto value = parse_int(text);
  return value && *value > 0 ? std::uint64_t(*value) : 0;
}

void take_limits(const Words& words, Capabilities& found) {
  static constexpr std::string_view kMailMax = "MAILMAX=";
  for (const auto& word : words) {
    if (!word.starts_with(kMailMax)) continue;
    found.max_transactions = int(std::min<std::uint64_t>(number(word.substr(kMailMax.size())), 1'000'000));
  }
}

void take(const Words& words, Capabilities& found) {
  const auto& keyword = words[0];
  if (keyword == "SIZE") {
    found.size = true;
    found.max_size = words.size() > 1 ? number(words[1]) : 0;
  }
  if (keyword == "8BITMIME") found.eight_bit_mime = true;
  if (keyword == "SMTPUTF8") found.smtputf8 = true;
  if (keyword == "PIPELINING") found.pipelining = true;
  if (keyword == "STARTTLS") found.starttls = true;
  if (keyword == "LIMITS") take_limits(words, found);
  if (keyword == "AUTH") found.auth.insert(found.auth.end(), words.begin() + 1, words.end());
}

}  // namespace

bool Capabilities::offers_auth(std::string_view mechanism) const {
  return std::ranges::find(auth, mechanism) != auth.end();
}

Capabilities parse_capabilities(const proto::ReceivedReply& reply) {
  Capabilities found;
  for (std::size_t i = 1; i < reply.lines.size(); ++i) {  // the first line is the server's name
    const auto words = words_of(reply.lines[i]);
    if (!words.empty()) take(words, found);
  }
  return found;
}

}  // namespace posthaste::smtp::client
