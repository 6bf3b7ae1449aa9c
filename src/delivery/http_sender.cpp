#include "delivery/http_sender.h"

#include <algorithm>

#include "base/log.h"
#include "base/strings.h"
#include "delivery/endpoint_payload.h"
#include "delivery/retry_after.h"
#include "delivery/spam_fields.h"
#include "events/dispatcher.h"

namespace posthaste::delivery {

namespace {

using Status = policy::Verdict::Status;

constexpr Duration kLongestConnecting = 10s;
constexpr std::size_t kMostOutput = 500;  // bytes of the answer; the store cuts at 250 characters

std::chrono::seconds timeout_of(const store::HttpEndpoint& endpoint) {
  return std::chrono::seconds(endpoint.timeout > 0 ? endpoint.timeout : 5);
}

// What another attempt may change: the endpoint's own trouble, and its wish to be asked later or elsewhere.
bool may_pass(int code) {
  return code < 0 || (code >= 300 && code <= 399) || (code >= 500 && code <= 599) || code == 408 || code == 425 ||
         code == 429;
}

policy::Class class_of(int code) {
  if (code == io::http_code::kTls) return policy::Class::TlsFailure;
  if (code < 0) return policy::Class::Connection;
  return code == 429 ? policy::Class::RateLimited : policy::Class::Unknown;
}

// Cut between characters, if they are characters.
std::string output_of(std::string_view body) {
  std::size_t end = std::min(body.size(), kMostOutput);
  if (end < body.size()) {
    std::size_t start = end;
    while (start > 0 && end - start < 3 && (body[start] & 0xC0) == 0x80) --start;
    if ((body[end] & 0xC0) == 0x80) end = start;
  }
  return clean_utf8(trim(body.substr(0, end)));
}

}  // namespace

HttpOutcome judge_answer(const store::HttpEndpoint& endpoint, const io::HttpAnswer& answer, Time now) {
  HttpOutcome outcome;
  policy::Verdict& verdict = outcome.verdict;
  const int code = answer.code;
  verdict.status = answer.ok() ? Status::Sent : may_pass(code) ? Status::SoftFail : Status::HardFail;
  verdict.details = fmt::format("Received a {} from {}", code, io::without_user_info(endpoint.url));
  verdict.output = output_of(answer.body);
  if (code > 0) verdict.code = code;
  if (!answer.ok()) verdict.classification = class_of(code);
  if (code == 429 || code == 503)
    if (const auto* wish = answer.header("retry-after")) verdict.retry_hint = retry_after(*wish, now);

  outcome.unreachable = code < 0;
  outcome.over_tls = istarts_with(endpoint.url, "https:");
  outcome.seconds = double(answer.took.count()) / 1e6;
  return outcome;
}

namespace {

// What is computed on a pool thread: the body, and its signatures in the headers.
io::HttpCall request_of(const HttpEndpointCall& call, trust::RequestSigner& signer, const std::string& user_agent) {
  io::HttpCall request;
  request.url = call.endpoint.url;
  request.timeout = timeout_of(call.endpoint);
  request.connect_timeout = std::min(request.timeout, kLongestConnecting);
  const auto raw = call.foreign_verdicts ? without_spam_fields(call.raw) : call.raw;
  request.body = endpoint_payload(call.endpoint, call.message, raw, call.added_headers);
  request.headers = signer.headers(request.body);
  request.headers.emplace_back("Content-Type", payload_content_type(call.endpoint));
  request.headers.emplace_back("User-Agent", user_agent);
  request.headers.emplace_back("Idempotency-Key", fmt::format("{}:{}", call.server_uuid, call.message.token));
  return request;
}

struct Sender {
  io::HttpClient& client;
  trust::RequestSigner& signer;
  io::Pool& pool;
  std::string user_agent;
  Clock clock;
};

io::Task<HttpOutcome> post(std::shared_ptr<const Sender> sender, HttpEndpointCall call) {
  const store::HttpEndpoint endpoint = call.endpoint;
  auto prepare = [sender, call = std::move(call)] { return request_of(call, sender->signer, sender->user_agent); };
  io::HttpCall request = co_await sender->pool.run(std::move(prepare));
  io::HttpAnswer answer = co_await sender->client.send(std::move(request));
  if (answer.code < 0 && !answer.cause.empty())
    log::info("http", "no answer from an HTTP endpoint",
              {{"endpoint", endpoint.uuid}, {"code", std::to_string(answer.code)}, {"cause", answer.cause}});
  HttpOutcome outcome = judge_answer(endpoint, answer, sender->clock());
  co_return outcome;
}

}  // namespace

PostToEndpoint http_endpoint_sender(io::HttpClient& client, trust::RequestSigner& signer, io::Pool& pool,
                                    const config::Config& config, Clock clock) {
  const auto sender =
      std::make_shared<const Sender>(Sender{client, signer, pool, events::user_agent(config), std::move(clock)});
  return [sender](HttpEndpointCall call) { return post(sender, std::move(call)); };
}

}  // namespace posthaste::delivery
