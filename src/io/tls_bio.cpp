#include "io/tls_bio.h"

#include <openssl/bio.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <stdexcept>

namespace posthaste::io {
namespace {

int fd_of(BIO* bio) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

int read_socket(BIO* bio, char* into, std::size_t length, std::size_t* done) {
  BIO_clear_retry_flags(bio);
  const ssize_t got = ::recv(fd_of(bio), into, length, 0);
  if (got > 0) {
    *done = static_cast<std::size_t>(got);
    return 1;
  }
  if (got == 0) {
    BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    errno = 0;
  } else if (would_block()) {
    BIO_set_retry_read(bio);
  }
  return 0;
}

int write_socket(BIO* bio, const char* from, std::size_t length, std::size_t* done) {
  BIO_clear_retry_flags(bio);
  const ssize_t put = ::send(fd_of(bio), from, length, MSG_NOSIGNAL);
  if (put >= 0) {
    *done = static_cast<std::size_t>(put);
    return 1;
  }
  if (would_block()) BIO_set_retry_write(bio);
  return 0;
}

long control(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
  return 0;
}

BIO_METHOD* make_method() {
  BIO_METHOD* method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR, "socket");
  if (!method) throw std::runtime_error("cannot make a BIO method");
  BIO_meth_set_read_ex(method, read_socket);
  BIO_meth_set_write_ex(method, write_socket);
  BIO_meth_set_ctrl(method, control);
  return method;
}

}  // namespace

BIO* make_socket_bio(int fd) {
  static BIO_METHOD* const method = make_method();
  BIO* bio = BIO_new(method);
  if (!bio) throw std::runtime_error("cannot make a BIO");
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace posthaste::io
