// The leaf parts of a message as ranges of its bytes: one pass over the lines, nothing is copied or changed.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "mail/mime_value.h"

namespace posthaste::mail {

struct MimeLeaf {
  std::string_view headers;  // of the part, or of the message: with its last line end
  std::string_view body;     // without the line end that belongs to the boundary
  MimeValue type;            // empty: no Content-Type, or more than one
  MimeValue disposition;
  std::string transfer_encoding;  // lower case; `7bit` if none is named
};

inline constexpr int kMaxMimeDepth = 20;
inline constexpr std::size_t kMaxMimeLeaves = 1000;

// Leaves in their order. multipart/mixed, alternative and related are descended into, to kMaxMimeDepth; anything else,
// signed and encrypted parts among it, is one leaf whose type says what it is. headers: the message's header block;
// body: what follows the blank line. Beyond kMaxMimeLeaves nothing is found.
std::vector<MimeLeaf> mime_leaves(std::string_view headers, std::string_view body);

}  // namespace posthaste::mail
