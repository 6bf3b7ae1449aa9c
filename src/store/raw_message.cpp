#include "store/messages.h"

namespace posthaste::store {

namespace {

// Postal splits at the first match of \r?\n\r?\n: the header block ends before it, the body begins behind it.
struct Split {
  std::size_t header_end, body_start;
};

Split split_at_blank_line(std::string_view bytes) {
  for (std::size_t lf = bytes.find('\n'); lf != std::string_view::npos; lf = bytes.find('\n', lf + 1)) {
    const std::string_view rest = bytes.substr(lf + 1);
    const std::size_t blank = rest.starts_with("\r\n") ? 2 : rest.starts_with("\n") ? 1 : 0;
    if (blank == 0) continue;
    const bool crlf = lf > 0 && bytes[lf - 1] == '\r';
    return {crlf ? lf - 1 : lf, lf + 1 + blank};
  }
  return {bytes.size(), bytes.size()};
}

}  // namespace

RawMessage::RawMessage(std::string bytes) : bytes_(std::make_shared<const std::string>(std::move(bytes))) {
  const Split split = split_at_blank_line(*bytes_);
  header_end_ = split.header_end;
  body_start_ = split.body_start;
}

std::string_view to_text(Scope scope) { return scope == Scope::Outgoing ? "outgoing" : "incoming"; }

}  // namespace posthaste::store
