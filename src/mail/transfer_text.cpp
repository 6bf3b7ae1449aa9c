#include "mail/transfer_text.h"

#include "base/strings.h"

namespace posthaste::mail {

namespace {

constexpr std::size_t kLongestLine = 998;  // RFC 5322 2.1.1, without its end
constexpr std::size_t kEncodedLine = 76;   // RFC 2045 6.7, 6.8
constexpr std::string_view kSpace = " \t\r\n";

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = ascii_lower(c);
  if (lower >= 'a' && lower <= 'f') return lower - 'a' + 10;
  return std::nullopt;
}

std::size_t longest_line(std::string_view text) {
  std::size_t longest = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    longest = std::max(longest, end);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return longest;
}

// A line without its end and without the white space before it, which transport may have added.
std::string_view bare(std::string_view line) {
  while (!line.empty() && kSpace.contains(line.back())) line.remove_suffix(1);
  return line;
}

void decode_line(std::string_view line, std::string& into) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto high = line[i] == '=' && i + 2 < line.size() ? hex_digit(line[i + 1]) : std::nullopt;
    const auto low = high ? hex_digit(line[i + 2]) : std::nullopt;
    if (low) {
      into += char(*high * 16 + *low);
      i += 2;
    } else {
      into += line[i];
    }
  }
}

class QuotedPrintableWriter {
 public:
  QuotedPrintableWriter(std::string& out, std::string_view line_end) : out_(out), line_end_(line_end) {}

  // Line ends stay line ends.
  void put(std::string_view text, bool soft_end) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const std::string_view rest = text.substr(i);
      if (rest.starts_with("\r\n") || rest[0] == '\n') {
        const std::size_t length = rest[0] == '\n' ? 1 : 2;
        out_ += rest.substr(0, length);
        column_ = 0;
        i += length - 1;
        continue;
      }
      const bool last = rest.size() == 1 ? !soft_end : rest[1] == '\n' || rest.substr(1).starts_with("\r\n");
      put_byte(static_cast<unsigned char>(rest[0]), last);
    }
    if (soft_end) break_line();
  }

 private:
  void put_byte(unsigned char byte, bool last_of_line) {
    const bool blank = byte == ' ' || byte == '\t';
    const bool plain = (blank && !last_of_line) || (byte > 0x20 && byte < 0x7F && byte != '=');
    const std::size_t length = plain ? 1 : 3;
    if (column_ + length > kEncodedLine - 1) break_line();
    if (plain)
      out_ += char(byte);
    else
      out_ += fmt::format("={:02X}", byte);
    column_ += length;
  }
  void break_line() {
    out_ += '=';
    out_ += line_end_;
    column_ = 0;
  }

  std::string& out_;
  const std::string_view line_end_;
  std::size_t column_ = 0;
};

}  // namespace

std::string apply_edits(std::string_view text, const std::vector<Edit>& edits) {
  std::string out;
  std::size_t at = 0;
  for (const Edit& edit : edits) {
    out += text.substr(at, edit.begin - at);
    out += edit.text;
    at = edit.end;
  }
  return out += text.substr(at);
}

std::optional<TransferText> TransferText::open(std::string_view body, std::string_view encoding) {
  if (encoding == "7bit" || encoding == "8bit") return TransferText(body, Encoding::Identity);
  if (encoding == "binary") return TransferText(body, Encoding::Binary);
  if (encoding == "quoted-printable") {
    TransferText text(body, Encoding::QuotedPrintable);
    text.read_quoted_printable();
    return text;
  }
  if (encoding != "base64") return std::nullopt;
  TransferText text(body, Encoding::Base64);
  std::string packed;
  packed.reserve(body.size());
  std::ranges::copy_if(body, std::back_inserter(packed), [](char c) { return !kSpace.contains(c); });
  text.decoded_ = base64_decode(packed);
  if (!text.decoded_) return std::nullopt;
  return text;
}

void TransferText::read_quoted_printable() {
  std::string& out = decoded_.emplace();
  out.reserve(body_.size());
  for (std::size_t at = 0; at < body_.size();) {
    const std::size_t feed = body_.find('\n', at);
    const std::size_t end = feed == std::string_view::npos ? body_.size() : feed + 1;
    const std::string_view line = body_.substr(at, end - at);
    std::string_view content = bare(line);
    const bool soft = content.ends_with('=');
    lines_.push_back({at, out.size(), soft});
    if (soft) content.remove_suffix(1);
    decode_line(content, out);
    if (!soft && line.ends_with('\n')) out += line.ends_with("\r\n") ? "\r\n" : "\n";
    at = end;
  }
}

TransferText::Written TransferText::with(const std::vector<Edit>& edits) const {
  if (encoding_ == Encoding::QuotedPrintable) return {write_quoted_printable(edits)};
  std::string text = apply_edits(this->text(), edits);
  if (encoding_ == Encoding::Base64) return {write_base64(text)};
  const bool too_long = encoding_ == Encoding::Identity && longest_line(body_) <= kLongestLine + 1 &&
                        longest_line(text) > kLongestLine + 1;  // and the CR
  if (!too_long) return {std::move(text)};
  std::string encoded;
  QuotedPrintableWriter(encoded, line_end()).put(text, false);
  return {std::move(encoded), true};
}

// Lines that an edit touches are written anew; the others keep their bytes.
std::string TransferText::write_quoted_printable(const std::vector<Edit>& edits) const {
  const std::string_view text = this->text();
  const auto line_of = [&](std::size_t decoded) {
    const auto behind = std::ranges::upper_bound(lines_, decoded, {}, &Line::decoded);
    return behind == lines_.begin() ? std::size_t(0) : std::size_t(behind - lines_.begin()) - 1;
  };
  const auto encoded_begin = [&](std::size_t line) {
    return line < lines_.size() ? lines_[line].encoded : body_.size();
  };
  const auto decoded_begin = [&](std::size_t line) {
    return line < lines_.size() ? lines_[line].decoded : text.size();
  };

  std::string out;
  std::size_t copied = 0;  // of the encoded body
  for (auto edit = edits.begin(); edit != edits.end();) {
    const std::size_t first = line_of(edit->begin);
    std::size_t last = first;
    const std::size_t begin = decoded_begin(first);
    std::vector<Edit> here;
    for (; edit != edits.end() && (here.empty() || line_of(edit->begin) <= last); ++edit) {
      here.push_back({edit->begin - begin, edit->end - begin, edit->text});
      last = std::max(last, line_of(std::max(edit->begin, edit->end > 0 ? edit->end - 1 : 0)));
    }
    out += body_.substr(copied, encoded_begin(first) - copied);
    const bool soft = last < lines_.size() && lines_[last].soft;
    const std::string fresh = apply_edits(text.substr(begin, decoded_begin(last + 1) - begin), here);
    QuotedPrintableWriter(out, line_end()).put(fresh, soft);
    copied = encoded_begin(last + 1);
  }
  return out += body_.substr(copied);
}

std::string TransferText::write_base64(const std::string& text) const {
  const std::size_t first = body_.find('\n');
  const std::size_t width = first == std::string_view::npos ? kEncodedLine : bare(body_.substr(0, first)).size();
  const std::size_t line = width >= 4 && width <= kLongestLine ? width : kEncodedLine;
  const std::string encoded = base64_encode(text);
  std::string out;
  for (std::size_t at = 0; at < encoded.size(); at += line) {
    if (at > 0) out += line_end();
    out += std::string_view(encoded).substr(at, line);
  }
  const std::size_t last = body_.find_last_not_of(kSpace);
  return out += body_.substr(last == std::string_view::npos ? 0 : last + 1);
}

std::string_view TransferText::line_end() const {
  const std::size_t feed = body_.find('\n');
  const bool lf = feed != std::string_view::npos && (feed == 0 || body_[feed - 1] != '\r');
  return lf ? "\n" : "\r\n";
}

}  // namespace posthaste::mail
