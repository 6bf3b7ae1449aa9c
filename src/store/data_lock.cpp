#include "store/data_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/strings.h"

namespace posthaste::store {

namespace {

std::string read_all(int descriptor) {
  char buffer[256];
  const ssize_t count = ::pread(descriptor, buffer, sizeof buffer, 0);
  return count > 0 ? std::string(trim({buffer, std::size_t(count)})) : std::string();
}

}  // namespace

std::optional<FileLock> FileLock::take(const std::string& path, std::string* holder) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), path);
  FileLock lock(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) throw std::system_error(errno, std::generic_category(), path);
  if (holder) *holder = read_all(descriptor);
  return std::nullopt;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::string FileLock::read() const { return read_all(descriptor_); }

void FileLock::write(const std::string& text) const {
  const std::string line = text + "\n";
  if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, line.data(), line.size(), 0) != ssize_t(line.size()) ||
      ::fsync(descriptor_) != 0)
    throw std::system_error(errno, std::generic_category(), "lock file");
}

}  // namespace posthaste::store
