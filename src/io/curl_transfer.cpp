#include "io/curl_transfer.h"

#include <cstring>

#include "base/strings.h"

namespace posthaste::io {

namespace {

constexpr std::size_t kMostFieldBytes = 16384;
// Hosts close idle connections after five seconds and more; a request on a closed one may get lost.
constexpr long kLongestIdle = 4;

long to_ms(Duration duration) {
  return std::max<long>(1, std::chrono::ceil<std::chrono::milliseconds>(duration).count());
}

void add(CurlList& list, const std::string& text) {
  curl_slist* longer = curl_slist_append(list.get(), text.c_str());
  if (!longer) throw std::bad_alloc();
  (void)list.release();
  list.reset(longer);
}

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  const CURLcode result = curl_easy_setopt(easy, option, value);
  if (result != CURLE_OK) throw std::runtime_error(std::string("libcurl: ") + curl_easy_strerror(result));
}

bool is_tls(CURLcode result) {
  switch (result) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_USE_SSL_FAILED:
      return true;
    default:
      return false;
  }
}

std::string bracketed(const IpAddress& address) {
  return address.v6 ? fmt::format("[{}]", address.text()) : address.text();
}

// Names and values come from us; a line end in them would be a header of somebody else's making.
std::string header_line(const std::string& name, std::string value) {
  std::erase_if(value, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
  return value.empty() ? name + ";" : name + ": " + value;
}

}  // namespace

RunningTransfer::RunningTransfer(std::unique_ptr<Transfer> transfer)
    : transfer_(std::move(transfer)), easy_(curl_easy_init()) {
  if (!easy_) throw std::bad_alloc();
}

void RunningTransfer::prepare() {
  set_destination();
  set_request();
  set_limits();
}

void RunningTransfer::set_destination() {
  const HttpUrl& url = transfer_->url;
  const std::string text = url.text();
  set(easy(), CURLOPT_URL, text.c_str());
  set(easy(), CURLOPT_PATH_AS_IS, 1L);
  set(easy(), CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy(), CURLOPT_FOLLOWLOCATION, 0L);
  set(easy(), CURLOPT_PROXY, transfer_->proxy.value_or("").c_str());
  set(easy(), CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (!transfer_->ca_file.empty()) set(easy(), CURLOPT_CAINFO, transfer_->ca_file.c_str());
  if (transfer_->proxy || transfer_->addresses.empty() || IpAddress::parse(url.host)) return;
  std::string entry = fmt::format("{}:{}:", url.host, url.port);
  for (std::size_t i = 0; i < transfer_->addresses.size(); ++i)
    entry += (i == 0 ? "" : ",") + bracketed(transfer_->addresses[i]);
  add(resolve_, entry);
  set(easy(), CURLOPT_RESOLVE, resolve_.get());
}

void RunningTransfer::set_request() {
  const HttpCall& call = transfer_->call;
  for (const auto& [name, value] : call.headers) add(headers_, header_line(name, value));
  if (!transfer_->url.user_info.empty()) {
    const std::string& given = transfer_->url.user_info;
    add(headers_, "Authorization: Basic " + base64_encode(given.contains(':') ? given : given + ":"));
  }
  add(headers_, "Expect:");  // no waiting for 100 Continue
  if (call.method == "POST" || !call.body.empty()) {
    set(easy(), CURLOPT_POSTFIELDS, call.body.c_str());
    set(easy(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  }
  if (call.method != "POST") set(easy(), CURLOPT_CUSTOMREQUEST, call.method.c_str());
  set(easy(), CURLOPT_HTTPHEADER, headers_.get());
  set(easy(), CURLOPT_ACCEPT_ENCODING, "gzip;q=1.0,deflate;q=0.6,identity;q=0.3");
  set(easy(), CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
}

void RunningTransfer::set_limits() {
  set(easy(), CURLOPT_NOSIGNAL, 1L);
  set(easy(), CURLOPT_TIMEOUT_MS, to_ms(transfer_->left));
  set(easy(), CURLOPT_CONNECTTIMEOUT_MS, to_ms(std::min(transfer_->left, transfer_->call.connect_timeout)));
  set(easy(), CURLOPT_MAXAGE_CONN, kLongestIdle);
  set(easy(), CURLOPT_ERRORBUFFER, error_.data());
  set(easy(), CURLOPT_HEADERFUNCTION, &RunningTransfer::on_header);
  set(easy(), CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(easy(), CURLOPT_WRITEFUNCTION, &RunningTransfer::on_body);
  set(easy(), CURLOPT_WRITEDATA, static_cast<void*>(this));
}

std::size_t RunningTransfer::on_header(char* bytes, std::size_t size, std::size_t count, void* self) {
  static_cast<RunningTransfer*>(self)->take_header({bytes, size * count});
  return size * count;
}

std::size_t RunningTransfer::on_body(char* bytes, std::size_t size, std::size_t count, void* self) {
  return static_cast<RunningTransfer*>(self)->take_body({bytes, size * count});
}

void RunningTransfer::take_header(std::string_view line) {
  if (line.starts_with("HTTP/")) return fields_.clear();  // an interim answer came before
  const auto colon = line.find(':');
  field_bytes_ += line.size();
  if (colon == std::string_view::npos || field_bytes_ > kMostFieldBytes) return;
  fields_.emplace_back(to_lower(trim(line.substr(0, colon))), std::string(trim(line.substr(colon + 1))));
}

// Taking less than was offered ends the transfer.
std::size_t RunningTransfer::take_body(std::string_view bytes) {
  const std::size_t room = transfer_->call.max_answer - body_.size();
  body_ += bytes.substr(0, room);
  cut_ = bytes.size() > room;
  return std::min(bytes.size(), room);
}

void RunningTransfer::finish(CURLcode result) {
  HttpAnswer answer = answer_to(result);
  transfer_->done(std::move(answer));
}

void RunningTransfer::give_up() {
  transfer_->done(HttpAnswer{.code = http_code::kConnection, .body = "Interrupted: the process ends"});
}

HttpAnswer RunningTransfer::answer_to(CURLcode result) {
  long status = 0;
  curl_off_t took = 0;
  char* ip = nullptr;
  curl_easy_getinfo(easy(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy(), CURLINFO_TOTAL_TIME_T, &took);
  curl_easy_getinfo(easy(), CURLINFO_PRIMARY_IP, &ip);

  // Whoever sent a status has answered, whatever is wrong with the body.
  const bool bad_body = (result == CURLE_WRITE_ERROR && cut_) || result == CURLE_BAD_CONTENT_ENCODING ||
                        result == CURLE_PARTIAL_FILE || result == CURLE_WRITE_ERROR;
  HttpAnswer answer;
  if (result == CURLE_OK || (bad_body && status > 0)) {
    answer.code = static_cast<int>(status);
    answer.body = std::move(body_);
    answer.headers = std::move(fields_);
  } else {
    answer = failure(result, status);
  }
  answer.took = transfer_->call.timeout - transfer_->left + Duration(took);
  answer.remote_ip = ip ? ip : "";
  return answer;
}

HttpAnswer RunningTransfer::failure(CURLcode result, long status) {
  const HttpUrl& url = transfer_->url;
  HttpAnswer answer;
  answer.cause = error_[0] ? error_.data() : curl_easy_strerror(result);
  if (result == CURLE_OPERATION_TIMEDOUT) {
    curl_off_t took = 0;
    curl_easy_getinfo(easy(), CURLINFO_TOTAL_TIME_T, &took);
    answer.code = http_code::kTimeout;
    answer.body = timeout_text(Duration(took));
  } else if (is_tls(result)) {
    answer.code = http_code::kTls;
    answer.body = "Invalid SSL certificate";
  } else {
    long error = 0;
    curl_easy_getinfo(easy(), CURLINFO_OS_ERRNO, &error);
    answer.code = http_code::kConnection;
    answer.body = answer.cause;
    if (result == CURLE_COULDNT_CONNECT && error != 0 && status == 0)
      answer.body = fmt::format("Failed to open TCP connection to {}:{} ({})", url.host, url.port,
                                std::strerror(static_cast<int>(error)));
  }
  return answer;
}

// The whole time, or that for connecting.
std::string RunningTransfer::timeout_text(Duration took) const {
  const bool whole = took + 50ms >= transfer_->left;
  const auto limit = whole ? transfer_->call.timeout : transfer_->call.connect_timeout;
  return fmt::format("Timed out after {}s", std::chrono::ceil<std::chrono::seconds>(limit).count());
}

}  // namespace posthaste::io
