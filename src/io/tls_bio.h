// Lets OpenSSL read and write a socket. Its own socket BIO raises SIGPIPE when the peer has gone; this one does not.
#pragma once

using BIO = struct bio_st;

namespace posthaste::io {

// Does not own the socket, which must be non-blocking.
BIO* make_socket_bio(int fd);

}  // namespace posthaste::io
