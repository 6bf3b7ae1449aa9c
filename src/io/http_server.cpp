// One HTTP connection: head, body, handler, response, and again.
#include <algorithm>
#include <string>

#include "base/log.h"
#include "base/random.h"
#include "base/strings.h"
#include "io/asio.h"
#include "io/http.h"
#include "io/http_parser.h"

namespace posthaste::io {
namespace {

constexpr std::size_t kHeadRead = 4 * 1024;
constexpr std::size_t kBodyRead = 64 * 1024;
constexpr auto kStoppingCheck = std::chrono::seconds(1);  // how late an idle connection notices that the process stops
constexpr auto kFinish = std::chrono::seconds(2);
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

// Why a request goes no further: a status to answer with, or 0 when nobody is there to be answered.
struct Refusal {
  int status = 0;
};
using Progress = std::expected<void, Refusal>;

std::string clean(std::string_view text) {
  std::string cleaned(text);
  std::ranges::replace_if(cleaned, [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  return cleaned;
}

bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }

// Headers that describe the transfer: ours to write.
bool is_own(std::string_view name) {
  return iequals(name, "Content-Length") || iequals(name, "Connection") || iequals(name, "Transfer-Encoding");
}

std::string head_of(const HttpResponse& response, bool keep_alive, bool http_1_0) {
  std::string head = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_of(response.status));
  bool dated = false;
  for (const auto& [name, value] : response.headers) {
    if (is_own(name)) continue;
    dated = dated || iequals(name, "Date");
    head += fmt::format("{}: {}\r\n", clean(name), clean(value));
  }
  if (!dated) head += fmt::format("Date: {}\r\n", to_rfc5322(system_now(), "GMT"));
  if (has_body(response.status)) head += fmt::format("Content-Length: {}\r\n", response.body.size());
  if (!keep_alive) head += "Connection: close\r\n";
  if (keep_alive && http_1_0) head += "Connection: keep-alive\r\n";
  return head + "\r\n";
}

bool asks_to_close(const HttpResponse& response) {
  return std::ranges::any_of(response.headers, [](const auto& header) {
    return iequals(header.first, "Connection") && iequals(header.second, "close");
  });
}

// Bytes that were read and not parsed yet.
class Input {
 public:
  bool empty() const { return begin_ == bytes_.size(); }
  std::string_view view() const { return std::string_view(bytes_).substr(begin_); }

  void consume(std::size_t count) {
    begin_ += count;
    if (!empty()) return;
    begin_ = 0;
    bytes_.clear();
    if (bytes_.capacity() > kHeadRead) bytes_.shrink_to_fit();  // a connection that idles holds no large buffer
  }
  void skip_empty_lines() {
    while (!empty() && (view().front() == '\r' || view().front() == '\n')) consume(1);
  }
  std::span<char> room(std::size_t count) {
    bytes_.erase(0, std::exchange(begin_, 0));
    filled_ = bytes_.size();
    bytes_.resize(filled_ + count);
    return {bytes_.data() + filled_, count};
  }
  void filled(std::size_t count) { bytes_.resize(filled_ + count); }

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
  std::size_t filled_ = 0;
};

// One request's part of the budget, until it has been answered.
class BudgetShare {
 public:
  explicit BudgetShare(const std::shared_ptr<HttpBudget>& budget) : budget_(budget.get()) {}
  ~BudgetShare() {
    if (budget_) budget_->held -= bytes_;
  }
  BudgetShare(const BudgetShare&) = delete;
  BudgetShare& operator=(const BudgetShare&) = delete;
  bool take(std::size_t bytes) {
    bytes_ += bytes;
    return !budget_ || (budget_->held += bytes) <= budget_->bytes;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  HttpBudget* const budget_;
  std::size_t bytes_ = 0;
};

class HttpSession {
 public:
  HttpSession(Stream& stream, const HttpHandler& handler, const HttpLimits& limits, const HttpTooLarge& too_large,
              const HttpAdmission& admission, const std::atomic<bool>* stopping)
      : stream_(stream),
        handler_(handler),
        limits_(limits),
        too_large_(too_large),
        admission_(admission),
        stopping_(stopping) {}

  Task<> run() {
    Duration patience = limits_.header_timeout;
    while (true) {
      const bool began = co_await wait_for_request(patience);
      if (!began) break;
      const bool again = co_await serve_one();
      if (!again) break;
      patience = limits_.keep_alive;
    }
    stream_.close();
  }

 private:
  bool stopping() const { return stopping_ && stopping_->load(std::memory_order_relaxed); }

  Task<bool> wait_for_request(Duration patience) {
    const SteadyTime end = deadline_after(patience);
    while (true) {
      input_.skip_empty_lines();
      if (!input_.empty()) co_return true;
      const Duration left = time_left(end);
      if (left <= Duration::zero() || stopping()) co_return false;
      auto got = co_await read_more(kHeadRead, std::min<Duration>(left, kStoppingCheck));
      if (!got && got.error().kind != ErrorKind::Timeout) co_return false;
    }
  }

  // False when the connection is to end.
  Task<bool> serve_one() {
    HttpParser parser(limits_);
    BudgetShare share(limits_.budget);
    auto progress = co_await read_head(parser);
    if (progress && admission_ && !parser.done()) {
      const bool refused = co_await refuse_head(parser);
      if (refused) co_return false;
    }
    if (progress) progress = co_await answer_expectation(parser);
    if (progress) progress = co_await read_body(parser, share);
    if (!progress) {
      co_await refuse(progress.error(), parser);
      co_return false;
    }
    HttpRequest request = request_of(parser);
    const bool head_only = request.method == "HEAD";
    HttpResponse response = co_await handle(std::move(request));
    const bool keep_alive = parser.keep_alive() && !stopping() && !asks_to_close(response);
    const bool written = co_await respond(response, keep_alive, parser.http_1_0(), head_only);
    if (written && !keep_alive) co_await stream_.finish(kFinish);
    co_return written&& keep_alive;
  }

  Task<Progress> read_head(HttpParser& parser) {
    const SteadyTime end = deadline_after(limits_.header_timeout);
    while (true) {
      auto progress = parse_some(parser);
      if (!progress || parser.head_done()) co_return progress;
      auto got = co_await read_more(kHeadRead, std::max(time_left(end), Duration::zero()));
      if (!got) co_return std::unexpected(refusal_of(got.error()));
    }
  }

  // True if the head was enough to refuse the request; it has been answered then.
  Task<bool> refuse_head(HttpParser& parser) {
    const HttpRequest head = arrived(parser.head());
    const auto response = admission_(head);
    if (!response) co_return false;
    const bool head_only = head.method == "HEAD";
    const bool written = co_await respond(*response, false, false, head_only);
    if (written) co_await stream_.finish(kFinish);
    co_return true;
  }

  Task<Progress> answer_expectation(HttpParser& parser) {
    const std::string_view expected = parser.expectation();
    if (expected.empty() || parser.http_1_0()) co_return Progress{};
    if (!iequals(expected, "100-continue")) co_return std::unexpected(Refusal{417});
    if (parser.done() || !input_.empty()) co_return Progress{};  // the body is here already
    auto written = co_await stream_.write(kContinue, limits_.body_timeout);
    if (!written) co_return std::unexpected(Refusal{});
    co_return Progress{};
  }

  Task<Progress> read_body(HttpParser& parser, BudgetShare& share) {
    const SteadyTime began = std::chrono::steady_clock::now();
    while (!parser.done()) {
      const std::size_t before = input_.view().size();
      auto progress = parse_some(parser);
      if (!progress) co_return progress;
      if (parser.done() || input_.view().size() < before) continue;
      // Single bytes do not extend the time for ever: nobody has shown a key yet.
      const auto earned = std::chrono::seconds(share.bytes() / limits_.body_rate);
      const Duration left = time_left(began + limits_.body_timeout + earned);
      auto got = co_await read_more(kBodyRead, std::clamp<Duration>(left, Duration(1), limits_.body_timeout));
      if (!got) co_return std::unexpected(refusal_of(got.error()));
      if (!share.take(*got)) co_return std::unexpected(Refusal{503});
    }
    co_return Progress{};
  }

  Progress parse_some(HttpParser& parser) {
    if (input_.empty()) return {};
    const auto used = parser.put(input_.view());
    if (!used) return std::unexpected(Refusal{used.error()});
    input_.consume(*used);
    return {};
  }

  Task<Result<std::size_t>> read_more(std::size_t count, Duration timeout) {
    const auto into = input_.room(count);
    auto got = co_await stream_.read_some(into, timeout);
    input_.filled(got.value_or(0));
    co_return got;
  }

  static Refusal refusal_of(const Error& error) { return Refusal{error.kind == ErrorKind::Timeout ? 408 : 0}; }

  static Duration time_left(SteadyTime end) {
    return std::chrono::duration_cast<Duration>(end - std::chrono::steady_clock::now());
  }

  HttpRequest request_of(HttpParser& parser) const { return arrived(parser.take()); }

  HttpRequest arrived(HttpRequest request) const {
    request.peer = stream_.peer().ip;
    request.received = system_now();
    return request;
  }

  Task<> refuse(Refusal refusal, HttpParser& parser) {
    if (refusal.status == 0) co_return;
    HttpResponse response = HttpResponse::text(refusal.status, std::string(reason_of(refusal.status)) + "\n");
    if (refusal.status == 413 && too_large_) response = too_large_(request_of(parser));
    const bool written = co_await respond(response, false, false, false);
    if (written) co_await stream_.finish(kFinish);
  }

  Task<HttpResponse> handle(HttpRequest request) {
    const std::string what = request.method + " " + request.path;
    std::string failure;
    try {
      auto task = handler_(std::move(request));
      co_return co_await std::move(task);
    } catch (const std::exception& error) {
      failure = error.what();
    } catch (...) {
      failure = "unknown exception";
    }
    const std::string id = random_upper_alphanumeric(8);
    log::error("io", "request failed", {{"request_id", id}, {"request", what}, {"error", failure}});
    co_return HttpResponse::text(500, "Internal Server Error (request " + id + ")\n");
  }

  Task<bool> respond(const HttpResponse& response, bool keep_alive, bool http_1_0, bool head_only) {
    const std::string head = head_of(response, keep_alive, http_1_0);
    const bool with_body = !head_only && has_body(response.status);
    const std::array<std::string_view, 2> pieces{head,
                                                 with_body ? std::string_view(response.body) : std::string_view()};
    auto written = co_await stream_.write_all(pieces, limits_.body_timeout);
    co_return written.has_value();
  }

  Stream& stream_;
  const HttpHandler& handler_;
  const HttpLimits& limits_;
  const HttpTooLarge& too_large_;
  const HttpAdmission& admission_;
  const std::atomic<bool>* stopping_;
  Input input_;
};

}  // namespace

Task<> serve_http(Stream stream, HttpHandler handler, HttpLimits limits, HttpTooLarge too_large,
                  std::shared_ptr<const std::atomic<bool>> stopping, HttpAdmission admission) {
  HttpSession session(stream, handler, limits, too_large, admission, stopping.get());
  co_await session.run();
}

Task<> turn_away_http(Stream stream) {
  HttpResponse response = HttpResponse::text(503, "Too many connections\n");
  response.set("Retry-After", "1");
  const std::string answer = head_of(response, false, false) + response.body;
  auto written = co_await stream.write(answer, kFinish);
  if (written) co_await stream.finish(kFinish);
  stream.close();
}

}  // namespace posthaste::io
