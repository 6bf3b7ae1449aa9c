// ClamAV's INSTREAM, as bytes: how a message is cut into chunks, and what the daemon's reply means.
//
// Pure and bounded; any reply gives an answer.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "inspection/scan.h"

namespace posthaste::inspection {

inline constexpr std::string_view kInstream{"zINSTREAM\0", 10};
inline constexpr std::size_t kChunk = 1 << 20;

// The four bytes in front of a chunk; a length of zero ends the stream.
std::array<char, 4> chunk_length(std::size_t size);

// `stream: OK`, `stream: <signature> FOUND`, `INSTREAM size limit exceeded. ERROR`; anything else says nothing about
// the message.
VirusScan parse_clamd_reply(std::string_view reply);

}  // namespace posthaste::inspection
