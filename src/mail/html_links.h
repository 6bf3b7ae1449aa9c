// Links of an HTML document by their place in it: a tokenizer that knows tags, attributes, comments and raw text, and
// builds no tree (docs/decisions has the reason). One pass, linear time, whatever the document.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthaste::mail {

struct HtmlHref {
  std::size_t begin = 0, end = 0;  // the value, without quotes
};

struct HtmlPlaces {
  std::vector<HtmlHref> hrefs;          // of `a` and `area`: the first href of each, as written
  std::optional<std::size_t> body_end;  // the last `</body`
};

HtmlPlaces find_html_links(std::string_view html);

// An attribute's value with its character references decoded. value: UTF-8.
std::string decode_html_value(std::string_view value);

}  // namespace posthaste::mail
