#include "delivery/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/log.h"
#include "base/random.h"

namespace posthaste::delivery {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kSegmentSize = 16 * 1024 * 1024;
constexpr std::size_t kTruncateFrom = 64 * 1024;  // not worth a system call per message below that

std::string read_all(int fd) {
  std::string bytes;
  char block[65536];
  for (off_t at = 0;;) {
    const ssize_t n = ::pread(fd, block, sizeof block, at);
    if (n <= 0) return bytes;
    bytes.append(block, std::size_t(n));
    at += n;
  }
}

}  // namespace

struct Journal::Segment {
  int fd = -1;
  std::string path;
  std::size_t size = 0, open = 0;

  ~Segment() {
    if (fd >= 0) ::close(fd);
  }
  void remove() { ::unlink(path.c_str()); }
  bool removed() const {
    struct stat found{};
    return ::fstat(fd, &found) != 0 || found.st_nlink == 0;
  }
};

Result<std::unique_ptr<Journal>> Journal::open(const std::string& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return fail(ErrorKind::Unavailable, "cannot create " + directory, error.message());
  std::unique_ptr<Journal> journal(new Journal(directory));
  if (auto read = journal->look_for_left(); !read) return std::unexpected(read.error());
  if (auto begun = journal->begin_segment(); !begun) return std::unexpected(begun.error());
  return journal;
}

Journal::~Journal() {
  if (current_ && current_->open == 0) current_->remove();
}

Result<> Journal::look_for_left() {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory_, error)) {
    if (entry.path().extension() != ".journal") continue;
    auto file = std::make_shared<Segment>();
    file->path = entry.path().string();
    file->fd = ::open(file->path.c_str(), O_RDWR | O_CLOEXEC);
    if (file->fd < 0 && errno == ENOENT) continue;  // its process has just finished with it
    if (file->fd < 0) return fail(ErrorKind::Unavailable, "cannot read " + file->path, std::strerror(errno));
    if (::flock(file->fd, LOCK_EX | LOCK_NB) != 0) continue;  // of a process that lives, or found before
    if (file->removed()) continue;

    Unsettled found = decode_journal(read_all(file->fd));
    left_.torn = left_.torn || found.torn;
    if (found.torn) log::warn("worker", "the delivery journal ends within a record", {{"file", file->path}});
    std::ranges::move(found.known, std::back_inserter(left_.known));
    std::ranges::move(found.in_doubt, std::back_inserter(left_.in_doubt));
    left_files_.push_back(std::move(file));
  }
  if (error) return fail(ErrorKind::Unavailable, "cannot read " + directory_, error.message());
  return {};
}

void Journal::forget_left() {
  for (const auto& file : left_files_) file->remove();
  left_files_.clear();
  left_ = {};
}

Result<> Journal::begin_segment() {
  auto segment = std::make_shared<Segment>();
  segment->path = directory_ + "/" + std::to_string(::getpid()) + "-" + random_hex(12) + ".journal";
  // Locked before it has a name that others look for: they would take it for a dead process's.
  const std::string unnamed = segment->path + ".new";
  segment->fd = ::open(unnamed.c_str(), O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  if (segment->fd < 0) return fail(ErrorKind::Unavailable, "cannot create " + unnamed, std::strerror(errno));
  if (::flock(segment->fd, LOCK_EX | LOCK_NB) != 0 || ::rename(unnamed.c_str(), segment->path.c_str()) != 0)
    return fail(ErrorKind::Unavailable, "cannot create " + segment->path, std::strerror(errno));
  current_ = std::move(segment);
  return {};
}

Ticket Journal::sending(const InDoubt& what) {
  std::lock_guard lock(mutex_);
  if (current_->size > kSegmentSize) {
    const auto full = current_;
    if (begin_segment()) tidy(full);
  }
  const Ticket ticket = ++last_;
  ++current_->open;
  open_.emplace(ticket, current_);
  append(*current_, encode_sending(ticket, what));
  return ticket;
}

void Journal::outcome(Ticket ticket, const store::Conclusion& conclusion) {
  const std::string record = encode_outcome(ticket, conclusion);
  std::lock_guard lock(mutex_);
  if (auto at = open_.find(ticket); at != open_.end()) append(*at->second, record);
}

void Journal::settled(Ticket ticket) {
  std::lock_guard lock(mutex_);
  auto at = open_.find(ticket);
  if (at == open_.end()) return;
  const auto segment = at->second;
  open_.erase(at);
  --segment->open;
  append(*segment, encode_settled(ticket));
  tidy(segment);
}

std::size_t Journal::open_attempts() const {
  std::lock_guard lock(mutex_);
  return open_.size();
}

void Journal::append(Segment& segment, const std::string& record) {
  const ssize_t written = ::write(segment.fd, record.data(), record.size());
  if (written == ssize_t(record.size())) {
    segment.size += record.size();
    failing_ = false;
    return;
  }
  const std::string cause = written < 0 ? std::strerror(errno) : "short write";
  // Half a record would hide all that follow.
  const bool whole = written <= 0 || ::ftruncate(segment.fd, off_t(segment.size)) == 0;
  if (!failing_) {
    log::error("worker", "cannot write the delivery journal; a crash now may send mail twice",
               {{"file", segment.path}, {"error", cause}, {"whole", whole}});
  }
  failing_ = true;
}

void Journal::tidy(const std::shared_ptr<Segment>& segment) {
  if (segment->open > 0) return;
  if (segment != current_) return segment->remove();
  if (segment->size < kTruncateFrom) return;
  if (::ftruncate(segment->fd, 0) == 0) segment->size = 0;
}

}  // namespace posthaste::delivery
