// The content of a leaf part behind its transfer encoding, and the same content with some ranges replaced, encoded as
// it was: what is not replaced keeps its encoded bytes where the encoding allows it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthaste::mail {

// Replaces [begin, end) of a text.
struct Edit {
  std::size_t begin = 0, end = 0;
  std::string text;
};

// Edits in ascending order that do not overlap.
std::string apply_edits(std::string_view text, const std::vector<Edit>& edits);

class TransferText {
 public:
  // encoding: in lower case. Nothing when it is unknown or the body is not what it says. The body must stay.
  static std::optional<TransferText> open(std::string_view body, std::string_view encoding);

  std::string_view text() const { return decoded_ ? std::string_view(*decoded_) : body_; }

  struct Written {
    std::string body;
    bool now_quoted_printable = false;  // a line got too long to stay as it was (RFC 5322 2.1.1)
  };
  Written with(const std::vector<Edit>& edits) const;

 private:
  enum class Encoding { Identity, Binary, QuotedPrintable, Base64 };
  // Where a line of the encoded body begins, and what it means in the text.
  struct Line {
    std::size_t encoded, decoded;
    bool soft;  // ends in a soft line break
  };

  TransferText(std::string_view body, Encoding encoding) : body_(body), encoding_(encoding) {}
  void read_quoted_printable();
  std::string write_quoted_printable(const std::vector<Edit>& edits) const;
  std::string write_base64(const std::string& text) const;
  std::string_view line_end() const;

  std::string_view body_;
  Encoding encoding_;
  std::optional<std::string> decoded_;
  std::vector<Line> lines_;
};

}  // namespace posthaste::mail
