// The text of a message as it comes in over DATA or BDAT (smtp-server.md 4.3): finds the end of data, takes stuffed
// dots away, and makes CRLF the only line end.
//
// Only CRLF . CRLF ends DATA; every near miss is text, so that nobody can smuggle a second message past us or through
// us. A bare LF becomes CRLF, a CR without LF one space, a lone dot that is not the end stays as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace posthaste::smtp::proto {

class TextDecoder {
 public:
  enum class Framing { Dots, Chunks };  // Chunks: no dots are taken away and the caller knows the end

  // Text is appended to a buffer until that has `limit` bytes; what comes after is scanned and dropped.
  TextDecoder(Framing framing, std::size_t limit) : dots_(framing == Framing::Dots), limit_(limit) {}

  struct Fed {
    std::size_t used;
    bool ended;  // the end of data was seen; what follows `used` are commands
  };
  Fed feed(std::string_view input, std::string& text);

  // Chunks: the text is complete. Adds the last line end if it is missing.
  void finish(std::string& text);

  // Facts about what was read.
  std::uint64_t bytes() const { return bytes_; }  // of decoded text, dropped text included
  bool overflow() const { return overflow_; }
  std::uint64_t bare_lf() const { return bare_lf_; }
  std::uint64_t bare_cr() const { return bare_cr_; }
  std::uint64_t long_lines() const { return long_lines_; }  // more than 998 octets

 private:
  // What has been read of the current line, when it is not plain text: the places where input may be cut.
  enum class State { LineStart, Text, Cr, Dot, DotCr };

  const char* bulk(const char* at, const char* end, std::string& text);
  void put(std::string_view bytes, std::string& text);
  void end_line(bool crlf);

  bool dots_;
  std::size_t limit_;
  State state_ = State::LineStart;
  bool after_crlf_ = true;  // the line before this one ended in CRLF, as the DATA command did
  bool overflow_ = false;
  std::size_t line_ = 0;  // bytes of the current line
  std::uint64_t bytes_ = 0, bare_lf_ = 0, bare_cr_ = 0, long_lines_ = 0;
};

}  // namespace posthaste::smtp::proto
