// One batch on its way into the tables; part of the committer.
#pragma once

#include <map>

#include "store/committer.h"

namespace posthaste::store {

struct Committer::Batch {
  explicit Batch(std::vector<JobPtr> with, const CommitterContext& context);

  std::vector<JobPtr> jobs;
  // What the jobs write; by mail server, and all of them.
  std::vector<AcceptWork> accepts;
  std::vector<ConcludeWork> conclusions;
  std::map<Id, std::vector<AcceptWork*>> accepts_by_server;
  std::map<Id, std::vector<ConcludeWork*>> conclusions_by_server;
  std::vector<AcceptWork*> all_accepts;
  std::vector<ConcludeWork*> all_conclusions;
  std::vector<const Write*> writes;

  Counts counts;  // filled while it is written
  Totals totals;
  bool messages_committed = false;  // on two instances: the first of two transactions
  bool unknown = false;             // a COMMIT was sent and nobody told what became of it

  Id any_server() const { return jobs.front()->server_id; }
};

}  // namespace posthaste::store
