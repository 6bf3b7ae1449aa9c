// A MariaDB server of a test program's own: started at first use in a temporary folder on a free port of the loopback
// interface, stopped at exit, and by the kernel if the program dies.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "sql/sql.h"

namespace posthaste::sql::testing {

class MariaDb {
 public:
  // Throws std::runtime_error with the server's log when it does not start within a minute.
  static MariaDb& shared();

  // Another one, for tests that break theirs or need two. Runs when it is returned.
  static MariaDb& second();
  // For benchmarks: syncs to disk as a server outside of tests does. The others leave that to the kernel, which keeps
  // what a killed server had written.
  static MariaDb& durable();

  MariaDb(const MariaDb&) = delete;
  ~MariaDb();

  // An account that may do everything.
  MariaDbOptions options(const std::string& database = "") const;
  std::unique_ptr<Connection> connect(const std::string& database = "") const;
  // Creates an empty database under a name that no other test uses.
  std::string create_database(const std::string& prefix = "test");

  int port() const { return port_; }

  // Killed in the middle of whatever it does; then up again with what it had committed.
  void crash();
  void restart();

 private:
  explicit MariaDb(bool durable);
  void install();
  void start();
  void wait_until_ready();
  void stop() noexcept;
  std::string log() const;

  const bool durable_;
  std::filesystem::path folder_;
  int port_ = 0;
  pid_t pid_ = 0;
  int databases_ = 0;
};

// A fresh folder for SQLite files, removed with everything in it.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  ~Folder();
  const std::filesystem::path& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace posthaste::sql::testing
