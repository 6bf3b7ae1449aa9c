// http and https URLs as they stand in mail: what can be a link's target, and where one ends in plain text.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthaste::mail {

// A target: UTF-8, without white space around it and without the tabs and line ends that browsers drop. Nothing when
// the text is not an http or https URL with a host.
struct WebUrl {
  std::string text;
  std::string host;  // lower case, without port; IPv6 in brackets
};
std::optional<WebUrl> parse_web_url(std::string_view text);

struct UrlPlace {
  std::size_t begin = 0, end = 0;
};

struct PlainText {
  bool utf8 = true;           // otherwise another charset with ASCII in it
  bool delete_space = false;  // format=flowed; delsp=yes: a URL may go on in the next line
};

// URLs of a plain text in their order. One ends before white space and before punctuation that closes a sentence, a
// quotation or a bracket that was opened outside; within `<...>` it ends at the bracket. Those of which nobody can say
// where they end are left out. Linear time.
std::vector<UrlPlace> find_text_urls(std::string_view text, PlainText rules = {});

}  // namespace posthaste::mail
