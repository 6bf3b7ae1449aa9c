// A file that one process holds at a time, by flock; the kernel lets go of it when the process ends, however it ends.
#pragma once

#include <optional>
#include <string>

namespace posthaste::store {

class FileLock {
 public:
  // Nothing when another process holds it; `holder` then gets what that one wrote into the file, its process id.
  // Throws std::system_error when the file cannot be made.
  static std::optional<FileLock> take(const std::string& path, std::string* holder = nullptr);

  FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FileLock();

  // The file's text; the lock stays.
  std::string read() const;
  void write(const std::string& text) const;

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_ = -1;
};

}  // namespace posthaste::store
