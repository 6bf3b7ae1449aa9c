#include "app/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace posthaste::app {

Result<> write_file(const std::string& path, std::string_view content, mode_t mode) {
  const std::string beside = path + ".new";
  ::unlink(beside.c_str());
  const auto failed = [&](const char* what) {
    return fail(ErrorKind::Unavailable, fmt::format("{} cannot be {}: {}.", path, what, std::strerror(errno)));
  };
  const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return failed("created");
  const bool written = ::write(fd, content.data(), content.size()) == ssize_t(content.size()) && ::fsync(fd) == 0;
  if (::close(fd) != 0 || !written) return failed("written");
  if (::rename(beside.c_str(), path.c_str()) != 0) return failed("put in place");
  return {};
}

}  // namespace posthaste::app
