// Open multiparts are a stack of boundaries; each line that begins with `--` is compared with them from the innermost
// out. A boundary of an outer multipart ends all inner ones, whether or not they were closed.
#include "mail/mime_leaves.h"

#include "base/strings.h"
#include "mail/header.h"

namespace posthaste::mail {

namespace {

constexpr std::size_t kMaxBoundary = 256;  // RFC 2046 allows 70

bool descends(std::string_view type) {
  return type == "multipart/mixed" || type == "multipart/alternative" || type == "multipart/related";
}

MimeLeaf describe(std::string_view headers) {
  MimeLeaf leaf;
  leaf.headers = headers;
  leaf.transfer_encoding = "7bit";
  int types = 0;
  for (const HeaderField& field : header_fields(headers)) {
    if (field.is("Content-Type") && ++types == 1) leaf.type = parse_mime_value(field.value);
    if (field.is("Content-Disposition")) leaf.disposition = parse_mime_value(field.value);
    if (field.is("Content-Transfer-Encoding")) leaf.transfer_encoding = parse_mime_value(field.value).value;
  }
  if (types > 1) leaf.type = {};  // who reads the first and who the last would disagree
  return leaf;
}

class Scanner {
 public:
  Scanner(std::string_view headers, std::string_view body) : text_(body) { begin_part(describe(headers)); }

  std::vector<MimeLeaf> scan() {
    while (at_ < text_.size() && leaves_.size() < kMaxMimeLeaves) {
      const std::string_view line = next_line();
      if (line.starts_with("--") && !open_.empty()) on_dashes(line);
    }
    end_part(text_.size());
    return std::move(leaves_);
  }

 private:
  std::string_view next_line() {
    const std::size_t begin = at_;
    const std::size_t end = text_.find('\n', at_);
    at_ = end == std::string_view::npos ? text_.size() : end + 1;
    return text_.substr(begin, at_ - begin);
  }

  void on_dashes(std::string_view line) {
    const std::size_t begin = at_ - line.size();
    line = trim(line.substr(2));
    for (std::size_t depth = open_.size(); depth-- > 0;) {
      const std::string& boundary = open_[depth];
      if (!line.starts_with(boundary)) continue;
      const std::string_view rest = line.substr(boundary.size());
      if (!rest.empty() && rest != "--") continue;
      end_part(before_line_end(begin));
      open_.resize(rest.empty() ? depth + 1 : depth);
      if (rest.empty()) read_part();
      return;
    }
  }

  // The line end before a boundary belongs to the boundary.
  std::size_t before_line_end(std::size_t at) const {
    if (at > 0 && text_[at - 1] == '\n') --at;
    if (at > 0 && text_[at - 1] == '\r') --at;
    return at;
  }

  void read_part() {
    const std::size_t begin = at_;
    while (at_ < text_.size()) {
      const std::size_t before = at_;
      const std::string_view line = next_line();
      if (line == "\r\n" || line == "\n") {
        begin_part(describe(text_.substr(begin, before - begin)));
        return;
      }
      if (line.starts_with("--")) {  // a part that ends within its header
        at_ = before;
        return;
      }
    }
  }

  void begin_part(MimeLeaf part) {
    const std::string_view boundary = part.type.parameter("boundary");
    const bool deep = open_.size() >= std::size_t(kMaxMimeDepth);
    if (descends(part.type.value) && !deep && !boundary.empty() && boundary.size() <= kMaxBoundary) {
      open_.emplace_back(boundary);
      return;
    }
    part_ = std::move(part);
    body_begin_ = at_;
    in_part_ = true;
  }

  void end_part(std::size_t end) {
    if (!std::exchange(in_part_, false) || leaves_.size() >= kMaxMimeLeaves) return;
    part_.body = text_.substr(body_begin_, end > body_begin_ ? end - body_begin_ : 0);
    leaves_.push_back(std::move(part_));
  }

  const std::string_view text_;
  std::size_t at_ = 0, body_begin_ = 0;
  std::vector<std::string> open_;
  MimeLeaf part_;
  bool in_part_ = false;
  std::vector<MimeLeaf> leaves_;
};

}  // namespace

std::vector<MimeLeaf> mime_leaves(std::string_view headers, std::string_view body) {
  return Scanner(headers, body).scan();
}

}  // namespace posthaste::mail
