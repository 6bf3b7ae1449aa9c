// libunbound as a forwarder, on a thread of its own. Only for the .cpp files of this room.
//
// It brings retransmission, choice among name servers, TCP for long answers, and the care about forged ones. It caches
// nothing here: DnsCache does, so that a fresh question is one that goes past it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "io/dns_cache.h"

namespace posthaste::io {

class Unbound {
 public:
  using Done = std::move_only_function<void(DnsReply)>;

  // Servers as is_name_server() has them.
  static Result<std::unique_ptr<Unbound>> start(const std::vector<std::string>& servers, Duration timeout);
  ~Unbound();  // what is still asked ends as ServFail

  // From any thread. `done` is called exactly once, on the resolver's thread: Timeout if the deadline passes.
  void ask(std::string name, int type, Done done);

 private:
  struct Impl;
  explicit Unbound(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace posthaste::io
