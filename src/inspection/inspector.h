// Asks the configured scanners about a message: rspamd, or else SpamAssassin, and at the same time ClamAV.
//
// Asynchronous: it runs on the loop of whoever awaits it. Whatever a scanner does, there is an answer within 15 s, and
// a scanner that keeps failing is left alone for a while. How many inspections run at once is for the caller to bound.
#pragma once

#include <memory>

#include "config/config.h"
#include "inspection/scan.h"
#include "io/resolver.h"
#include "io/task.h"

namespace posthaste::inspection {

bool scanners_configured(const config::Config& config);

class Inspector {
 public:
  Inspector(const config::Config& config, io::Resolver& resolver);
  ~Inspector();

  // Score, checks and threat; `spam` is for the caller, who knows the threshold.
  io::Task<store::Inspection> inspect(store::RawMessage raw, Subject subject);

  struct Scanners;

 private:
  std::shared_ptr<Scanners> scanners_;  // null: none is configured; shared with scans that are under way
};

}  // namespace posthaste::inspection
