// A stream on which commands go out and replies come in. Every failure is one of the texts that the delivery row shows.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"
#include "io/stream.h"
#include "smtp/proto/reply.h"

namespace posthaste::smtp::client {

class Channel {
 public:
  explicit Channel(io::Stream stream) : stream_(std::move(stream)) {}
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Sends whole lines; the bytes must stay until the end.
  io::Task<Result<>> write(std::string_view bytes, Duration timeout);
  io::Task<Result<>> write_all(std::span<const std::string_view> pieces, Duration timeout);
  // The next reply. The timeout is for the whole of it: a server that trickles gets no more time.
  io::Task<Result<proto::ReceivedReply>> reply(Duration timeout);
  // Sends one command (without line end; the bytes must stay) and takes its reply.
  io::Task<Result<proto::ReceivedReply>> command(std::string_view line, Duration timeout);

  // Fails with Protocol when the server has already sent more than was asked for: nothing that came in clear may be
  // taken for something said under TLS.
  io::Task<Result<io::TlsInfo>> start_tls(bool verify, std::string name, Duration timeout);

  void close() { stream_.close(); }
  bool open() const { return stream_.open(); }
  bool has_unread() const { return !unread_.empty(); }  // the server said more than it was asked for
  bool tls() const { return stream_.tls(); }

 private:
  io::Stream stream_;
  proto::ReplyParser parser_;
  std::array<char, 4096> buffer_;
  std::string_view unread_;  // in buffer_
};

}  // namespace posthaste::smtp::client
