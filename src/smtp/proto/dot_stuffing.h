// The text of a message as DATA wants it (RFC 5321 4.5.2): lines end in CRLF, a dot at a line's start is doubled.
#pragma once

#include <string_view>
#include <vector>

namespace posthaste::smtp::proto {

// Encodes a message given in pieces. Nothing is copied: the result is a list of views, long runs of the input (which
// has to stay) and bits of constant text between them. CRLF, LF and CR all end a line, also when cut by a piece's end.
class DotStuffing {
 public:
  // Appends the encoded piece.
  void encode(std::string_view piece, std::vector<std::string_view>& out);
  // Appends the last line's end if it is missing, and nothing else: the final dot is the caller's. Without any text
  // there is no line to end.
  void finish(std::vector<std::string_view>& out);

 private:
  bool line_start_ = true;
  bool after_cr_ = false;  // the last piece ended in a CR, which has been written as CRLF
};

inline constexpr std::string_view kEndOfData = ".\r\n";

}  // namespace posthaste::smtp::proto
