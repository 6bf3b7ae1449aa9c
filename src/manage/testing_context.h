// An installation to manage, on either engine: organization `org` with mail server `server` and domain
// `sender.example`.
#pragma once

#include "manage/work.h"
#include "store/testing_store.h"

namespace posthaste::manage::testing {

class Managed {
 public:
  explicit Managed(sql::Dialect dialect);
  ~Managed() { store->close(); }

  store::testing::Installation installation;
  std::unique_ptr<store::Store> store;
  Context context;
};

// For parameterised suites: the name of the engine.
inline std::string engine_name(const auto& info) { return info.param == sql::Dialect::Sqlite ? "Sqlite" : "MariaDb"; }

}  // namespace posthaste::manage::testing
