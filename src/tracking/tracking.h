// The web server's part for tracked links and the open pixel (http-api.md sections 19 to 21): redirects, answers, has
// the hits recorded. Nobody waits for a write, and a visitor never sees a failure of ours if it can be helped.
#pragma once

#include "config/config.h"
#include "io/http.h"
#include "io/pool.h"
#include "store/store.h"
#include "tracking/client_address.h"
#include "tracking/link_cache.h"
#include "tracking/paths.h"
#include "tracking/recorder.h"

namespace posthaste::tracking {

class Tracking {
 public:
  Tracking(store::Store& store, const config::Config& config, io::Pool& pool);

  // `host` as the proxy or the client named it, without port. The header counts from anyone in profile `postal`, from
  // trusted proxies in `modern`; a host if it is the installation's or a mail server's tracking host.
  bool recognises(const io::HttpRequest& request, std::string_view host) const;

  // The answer to what is no GET or HEAD: nobody needs its body for that.
  std::optional<io::HttpResponse> refuse(const io::HttpRequest& head) const;
  io::Task<io::HttpResponse> handle(io::HttpRequest request);

 private:
  io::Task<io::HttpResponse> follow(io::HttpRequest request, store::Id server_id, std::string token);
  io::HttpResponse open(const io::HttpRequest& request, store::Id server_id, std::string_view token);
  io::HttpResponse redirect(const io::HttpRequest& request, store::Id server_id, const store::Link& link);
  Visit visit_of(const io::HttpRequest& request) const;

  store::Store& store_;
  const config::Config& config_;
  io::Pool& pool_;
  const TrustedProxies proxies_;
  LinkCache links_;
  Recorder recorder_;
};

}  // namespace posthaste::tracking
