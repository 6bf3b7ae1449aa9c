// Postal's HTTP API, version 1 (http-api.md part I): four endpoints whose paths, keys, codes and texts clients rely on.
//
// Every outcome that a handler produces has HTTP status 200; the body says what it is. Nothing is answered `success`
// that is not committed. The web server has checked the host before it calls.
#pragma once

#include <optional>
#include <vector>

#include "api/v1/authentication.h"
#include "api/v1/call.h"

namespace posthaste::api::v1 {

class Api {
 public:
  Api(intake::Intake& intake, store::Store& store, const config::Config& config, io::Pool& pool,
      Clock clock = system_now);

  // What the head of a request is enough to answer: an unknown path or method, a key that is missing, wrong or
  // suspended. Asked before a body is read; what it refuses never comes to handle().
  std::optional<io::HttpResponse> refuse(const io::HttpRequest& head);

  // Requests whose path begins with /api/v1/.
  io::Task<io::HttpResponse> handle(io::HttpRequest request);

  // The answer to a body above api.max_body_size; asked before the body is read.
  io::HttpResponse too_large(const io::HttpRequest& head) const;

 private:
  using Handler = io::Task<Answer> (*)(Call);
  // Notes who called, whatever comes of it.
  io::Task<Answer> run(Handler handler, bool sending, const io::HttpRequest& request, io::HttpHeaders& caller_notes);

  Surroundings around_;
  std::vector<IpNetwork> trusted_proxies_;
  FailureLimit failures_;
};

}  // namespace posthaste::api::v1
