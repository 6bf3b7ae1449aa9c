// SMTP replies: reading those of a remote host, writing our own (RFC 5321 4.2, RFC 2034).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace posthaste::smtp::proto {

// A reply as it was received.
struct ReceivedReply {
  int code = 0;                    // of the last line
  std::vector<std::string> lines;  // what follows code and separator on each line
  std::string text;                // whole lines with their codes, joined by LF

  bool positive() const { return code / 100 == 2; }
  bool intermediate() const { return code / 100 == 3; }
  bool temporary() const { return code / 100 == 4; }
  bool permanent() const { return code / 100 == 5; }
};

// Takes a reply from a byte stream, piece by piece, with bounds: 2000 bytes a line, 100 lines, 64 KiB in all.
//
// Lines may end in a bare LF. Lines of one reply may differ in their codes; the last one counts.
// After Done or Broken, reset() makes it ready for the next reply.
class ReplyParser {
 public:
  static constexpr std::size_t kMaxLine = 2000, kMaxLines = 100, kMaxBytes = 64 * 1024;

  enum class State {
    More,    // all input was used; the reply goes on
    Done,    // reply() is complete; what follows `used` belongs to the next one
    Broken,  // not an SMTP reply, or a bound was passed; error() says which
  };
  struct Fed {
    State state;
    std::size_t used;
  };

  Fed feed(std::string_view input);
  const ReceivedReply& reply() const { return reply_; }
  const std::string& error() const { return error_; }
  bool started() const { return !line_.empty() || !reply_.lines.empty(); }
  void reset();

 private:
  State take_line();
  State broken(std::string why);

  ReceivedReply reply_;
  std::string line_, error_;
};

// Appends `250 2.1.0 OK` with CRLF; a text of several lines (LF) becomes a multi-line reply with the codes on each
// line. An empty enhanced code is left out. An empty text gives `334 `, with the blank.
void append_reply(std::string& out, int code, std::string_view enhanced, std::string_view text);

}  // namespace posthaste::smtp::proto
