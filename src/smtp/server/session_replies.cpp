// Replies, and the ends of a session: time-outs, failures, shutdown.
#include <fmt/format.h>

#include <algorithm>

#include "smtp/proto/reply.h"
#include "smtp/server/metrics.h"
#include "smtp/server/session.h"

namespace posthaste::smtp::server {

void Session::reply(int code, std::string_view enhanced, std::string_view text) {
  const bool with_code = extended_ && settings_.enhanced_status_codes && code / 100 != 3;
  const std::size_t before = out_.size();
  proto::append_reply(out_, code, with_code ? enhanced : std::string_view(), text);
  log_output(std::string_view(out_).substr(before));
}

void Session::error(int code, std::string_view enhanced, std::string_view text, std::string_view label) {
  reply(code, enhanced, text);
  if (!label.empty()) count::client_error(label);
  if (code < 500) return;
  ++errors_;
  if (errors_ >= settings_.max_errors) {
    count::limit("errors");
    goodbye("4.7.0", "Too many errors");
  } else if (errors_ > settings_.max_errors / 2) {
    slow_down(1s);
  }
}

std::string Session::worded(const Refusal& refusal) const {
  const bool detailed = extended_ && settings_.enhanced_status_codes && !refusal.detail.empty();
  return detailed ? fmt::format("{} ({})", refusal.text, refusal.detail) : refusal.text;
}

void Session::refuse(const Refusal& refusal) { error(refusal.code, refusal.enhanced, worded(refusal), refusal.error); }

void Session::goodbye(std::string_view enhanced, std::string_view text) {
  if (want_ == Want::Close) return;
  reply(421, enhanced, fmt::format("{} {}", settings_.host, text));
  close(text);
}

void Session::close(std::string_view why) {
  if (close_reason_.empty()) close_reason_ = why;
  text_mode_ = Text::None;
  want_ = Want::Close;
}

void Session::slow_down(Duration duration) {
  if (exempt_ || login_ || want_ == Want::Close) return;
  if (want_ != Want::Pause) after_pause_ = want_;
  pause_ = want_ == Want::Pause ? std::max(pause_, duration) : duration;
  want_ = Want::Pause;
}

// --- ends

Session::Phase Session::phase() const {
  if (state_ == State::Proxy || state_ == State::Handshake) return Phase::Proxy;
  if (text_mode_ != Text::None) return Phase::Text;
  return state_ == State::Welcome ? Phase::Greeting : Phase::Command;
}

void Session::timed_out() {
  switch (phase()) {
    case Phase::Proxy:
      count::timeout("proxy");
      return close("no PROXY header in time");
    case Phase::Text:
      count::timeout("data");
      break;
    default:
      count::timeout("command");
  }
  goodbye("4.4.2", "Timeout waiting for client input");
}

void Session::resumed() {
  if (want_ == Want::Pause) want_ = after_pause_;
}

void Session::failed() { goodbye("4.3.0", "Internal error, closing connection"); }

void Session::shut_down() {
  stopping_ = true;
  const bool busy = text_mode_ != Text::None || chunks_ || want_ == Want::Store || want_ == Want::ClientName;
  if (busy || want_ == Want::Close) return;
  if (want_ == Want::StartTls || state_ == State::Proxy) return close("shutting down");  // nothing could be read yet
  goodbye("4.3.2", "Service shutting down");
}

void Session::cut() {
  stopping_ = true;
  if (want_ != Want::Store) goodbye("4.3.2", "Service shutting down");
}

}  // namespace posthaste::smtp::server
