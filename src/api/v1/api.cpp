#include "api/v1/api.h"

#include "api/v1/parameters.h"
#include "base/log.h"
#include "base/random.h"
#include "base/strings.h"

namespace posthaste::api::v1 {

namespace {

constexpr std::size_t kLongWork = 256 * 1024;  // bytes of JSON that are not parsed on a loop

struct Endpoint {
  std::string_view path;
  io::Task<Answer> (*handler)(Call);
  bool sending;
};
constexpr Endpoint kEndpoints[] = {
    {"send/message", send_message, true},
    {"send/raw", send_raw, true},
    {"messages/message", messages_message, false},
    {"messages/deliveries", messages_deliveries, false},
};

// `/api//v1/send/message.json/` is `send/message`: slashes may be doubled or stand at the end, a format may follow.
std::string route_of(std::string_view path) {
  std::vector<std::string> parts;
  for (auto part : split(path, '/'))
    if (!part.empty()) parts.emplace_back(part);
  if (parts.size() < 3 || parts[0] != "api" || parts[1] != "v1") return {};
  parts.erase(parts.begin(), parts.begin() + 2);
  std::string& last = parts.back();
  if (const auto dot = last.find('.'); dot != std::string::npos && dot > 0) last.erase(dot);
  return join(parts, "/");
}

const Endpoint* endpoint_of(std::string_view path) {
  const std::string route = route_of(path);
  const auto found = std::ranges::find(kEndpoints, route, &Endpoint::path);
  return found == std::end(kEndpoints) ? nullptr : found;
}

io::HttpResponse not_found(const io::HttpRequest& request) {
  if (istarts_with(trim(request.header("Accept")), "application/json"))
    return io::HttpResponse::json(404, R"({"status":404,"error":"Not Found"})");
  return io::HttpResponse::text(404, "Not Found");
}

constexpr std::string_view kAllowed = "GET, HEAD, POST, PUT, PATCH, OPTIONS";

bool method_allowed(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "POST" || method == "PUT" || method == "PATCH";
}

// The answer to what is no call of an endpoint.
std::optional<io::HttpResponse> surface(const io::HttpRequest& request) {
  if (!endpoint_of(request.path)) return not_found(request);
  if (request.method == "OPTIONS") {
    io::HttpResponse response = io::HttpResponse::text(204, "");
    response.set("Allow", kAllowed);
    return response;
  }
  if (method_allowed(request.method)) return std::nullopt;
  Answer answer = error("MethodNotAllowed", "This method is not allowed", 405);
  answer.headers.emplace_back("Allow", kAllowed);
  return to_response(answer, Duration{});
}

Answer internal_error(const io::HttpRequest& request, std::string_view cause) {
  const auto given = request.header("X-Request-Id");
  const std::string id = given.empty() ? random_uuid() : std::string(given);
  log::error("web-server", "request failed", {{"request_id", id}, {"path", request.path}, {"error", cause}});
  auto data = writer();
  data.begin_object().field("message", "An internal error occurred").field("request_id", id);
  Answer answer = error("InternalError", std::move(data));
  answer.http = 500;
  return answer;
}

std::vector<IpNetwork> networks(const std::vector<std::string>& texts) {
  std::vector<IpNetwork> found;
  for (const auto& text : texts)
    if (const auto network = IpNetwork::parse(text)) found.push_back(*network);
  return found;
}

}  // namespace

Api::Api(intake::Intake& intake, store::Store& store, const config::Config& config, io::Pool& pool, Clock clock)
    : around_{config, store, intake, pool, std::move(clock)},
      trusted_proxies_(networks(config.postal.trusted_proxies)) {}

std::optional<io::HttpResponse> Api::refuse(const io::HttpRequest& head) {
  if (auto answer = surface(head)) return answer;
  const Time now = around_.clock();
  const auto directory = around_.store.directory();
  const auto caller = authenticate(*directory, head, client_address(head, trusted_proxies_), failures_, now);
  if (caller) return std::nullopt;
  return to_response(caller.error(), around_.clock() - now);
}

io::Task<io::HttpResponse> Api::handle(io::HttpRequest request) {
  if (auto answer = surface(request)) co_return std::move(*answer);
  const auto* endpoint = endpoint_of(request.path);
  const Time started = around_.clock();
  Answer answer;
  std::string cause;
  bool store_failed = false, gone = false;
  io::HttpHeaders caller;
  try {
    auto task = run(endpoint->handler, endpoint->sending, request, caller);
    answer = co_await std::move(task);
  } catch (const sql::Failure& failure) {
    store_failed = true;
    gone = sql::unreachable(failure);
    cause = failure.what();
  } catch (const std::exception& failure) {
    cause = failure.what();
  }
  if (store_failed) {
    if (!gone) log::error("web-server", "the database failed a request", {{"path", request.path}, {"error", cause}});
    answer = unavailable();
  } else if (!cause.empty()) {
    answer = internal_error(request, cause);
  }
  answer.notes.insert(answer.notes.begin(), caller.begin(), caller.end());
  co_return to_response(answer, around_.clock() - started);
}

io::Task<Answer> Api::run(Handler handler, bool sending, const io::HttpRequest& request,
                          io::HttpHeaders& caller_notes) {
  const Time now = around_.clock();
  const auto directory = around_.store.directory();
  const IpAddress client = client_address(request, trusted_proxies_);
  const auto caller = authenticate(*directory, request, client, failures_, now);
  if (!caller) co_return caller.error();
  caller_notes = {{"server", directory->path(*caller->server)},
                  {"credential", std::to_string(caller->credential->id)},
                  {"credential_name", caller->credential->name}};
  around_.store.note_credential_used(caller->credential->id, now);

  const auto limit = static_cast<std::size_t>(around_.config.api.max_body_size);
  std::expected<Json, Answer> parameters;
  if (request.body.size() <= kLongWork) {
    parameters = read_parameters(request, sending, limit);
  } else {
    auto read = [&request, sending, limit] { return read_parameters(request, sending, limit); };
    auto task = around_.pool.run(std::move(read));
    parameters = co_await std::move(task);
  }
  if (!parameters) co_return std::move(parameters.error());

  Call call{around_, directory, *caller->server, *caller->credential, std::move(*parameters), client, now};
  auto task = handler(std::move(call));
  Answer answer = co_await std::move(task);
  co_return answer;
}

io::HttpResponse Api::too_large(const io::HttpRequest&) const {
  const auto limit = around_.config.api.max_body_size;
  return to_response(error("PayloadTooLarge", fmt::format("The request body exceeds {} bytes", limit), 413),
                     Duration{});
}

}  // namespace posthaste::api::v1
