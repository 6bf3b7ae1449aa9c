// Composes a MIME message (http-api.md section 6): the smallest tree that holds what is given.
//
//   one body, nothing else           that part alone
//   both bodies                      multipart/alternative
//   attachments that the HTML shows  multipart/related around the HTML
//   other attachments                multipart/mixed around everything
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthaste::mail {

struct Attachment {
  std::string name;
  std::string content_type;  // with parameters; what is no type becomes application/octet-stream
  std::string content_id;    // without angle brackets; empty: none
  bool is_inline = false;    // disposition
  std::string data;
};

struct Composition {
  std::string fields;                      // finished fields above the MIME ones, each with its CRLF
  std::string extra_fields;                // and below
  std::optional<std::string> plain, html;  // valid UTF-8
  std::vector<Attachment> attachments;
};

// `random(n)` gives n random characters of [A-Za-z0-9]; the boundaries are made of them and occur in no part.
using RandomText = std::function<std::string(std::size_t)>;
std::string build_message(const Composition& composition, const RandomText& random);

// `type/subtype` with well-formed parameters, and nothing that a header line could not hold.
bool is_content_type(std::string_view text);

}  // namespace posthaste::mail
