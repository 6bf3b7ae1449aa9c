// Relaxed canonicalisation of a body (RFC 6376 3.4.4), hashed as it goes.
//
// Line ends may be CRLF, bare LF or bare CR: each is one CRLF, as it becomes on the wire. Runs of spaces and tabs are
// one space, none before a line end; empty lines at the end are dropped; what is left ends in one CRLF. A body without
// any other byte is the empty string.
//
// Most bytes of a message are canonical already. They go to the digest in runs as long as the input allows, straight
// from the caller's memory; only what differs is replaced.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "trust/digest.h"

namespace posthaste::trust {

class RelaxedBodyHash {
 public:
  // The pieces together are the body; a CR at the end of one and an LF at the start of the next are one line end. The
  // bytes of a piece are needed during the call only.
  void update(std::string_view piece);
  std::string finish();  // the 32 bytes of SHA-256

 private:
  void line(const char* begin, const char* end);     // without its line end
  void content(const char* begin, const char* end);  // no white space but single spaces inside
  bool gap_is_canonical(const char* begin) const;    // between the run and `begin`
  void flush_run();
  void flush_gap();

  Sha256 digest_;
  const char* run_begin_ = nullptr;  // canonical bytes not yet hashed
  const char* run_end_ = nullptr;
  std::size_t newlines_ = 0;  // seen since the last content: written when more content comes
  bool space_ = false;        // likewise, after the newlines
  bool after_cr_ = false;     // an LF that comes next belongs to the CR before
  bool any_ = false;          // some content was seen
};

}  // namespace posthaste::trust
