// How mail gets in: the last steps shared by SMTP and the HTTP API. Who may send is decided in the files beside; here a
// finished submission becomes rows on disk and, in the process that also delivers, work at hand.
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "io/task.h"
#include "store/hand_over.h"
#include "store/store.h"

namespace posthaste::intake {

class Intake {
 public:
  // `worker`: the delivery of this process, or null where another process delivers.
  Intake(store::Store& store, const config::Config& config, store::LocalWorker* worker);

  // Returns when every submission is committed to disk. Several (a transaction for recipients of several mail servers)
  // are committed one after the other; on a failure the earlier ones stay (smtp-server.md 12.5).
  // Errors: Unavailable and Limit are temporary, Invalid is not.
  io::Task<Result<std::vector<store::Stored>>> accept(std::vector<store::Submission> submissions);

  store::Store& store() { return store_; }
  const config::Config& config() const { return config_; }

 private:
  store::Store& store_;
  const config::Config& config_;
  store::LocalWorker* worker_;
};

}  // namespace posthaste::intake
