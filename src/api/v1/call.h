// One authenticated request, and what the handlers work with.
#pragma once

#include <memory>

#include "api/v1/answer.h"
#include "api/v1/json_value.h"
#include "base/network.h"
#include "config/config.h"
#include "intake/intake.h"
#include "io/pool.h"
#include "io/task.h"
#include "store/store.h"

namespace posthaste::api::v1 {

// What the API needs of the rest of the house.
struct Surroundings {
  const config::Config& config;
  store::Store& store;
  intake::Intake& intake;
  io::Pool& pool;  // for what blocks or computes long
  Clock clock = system_now;
};

struct Call {
  const Surroundings& around;
  std::shared_ptr<const store::Directory> directory;  // keeps server and credential
  const store::Server& server;
  const store::Credential& credential;
  Json parameters;
  IpAddress client;
  Time now;

  const config::Config& config() const { return around.config; }
  bool modern() const { return config().profile == config::Profile::Modern; }
};

io::Task<Answer> send_message(Call call);
io::Task<Answer> send_raw(Call call);
io::Task<Answer> messages_message(Call call);
io::Task<Answer> messages_deliveries(Call call);

}  // namespace posthaste::api::v1
