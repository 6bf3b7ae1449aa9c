// What is handed to the group-committing writer.
#pragma once

#include <memory>
#include <variant>

#include "store/store.h"

namespace posthaste::store {

struct AcceptJob {
  Submission submission;
  bool claim = false;
  AcceptDone done;
};

struct ConcludeJob {
  Conclusion conclusion;
  ConcludeDone done;
};

struct WriteJob {
  Write write;
  ConcludeDone done;
};

struct Job {
  Id server_id = 0;
  std::size_t rows = 1;   // messages
  std::size_t bytes = 0;  // of raw data
  int attempts = 0;       // to commit it
  bool bare = false;      // what the attempt could do without was left out
  std::variant<ConcludeJob, AcceptJob, WriteJob> what;

  bool accepts() const { return std::holds_alternative<AcceptJob>(what); }
  bool concludes() const { return std::holds_alternative<ConcludeJob>(what); }
};
using JobPtr = std::unique_ptr<Job>;

JobPtr make_job(AcceptJob accept);
JobPtr make_job(ConcludeJob conclude);
JobPtr make_job(WriteJob write);
// Tells the caller that it failed. A job is answered once, by this or by its success.
void fail_job(Job& job, const Error& error);

}  // namespace posthaste::store
