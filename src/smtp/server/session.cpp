#include "smtp/server/session.h"

#include <fmt/format.h>

#include <cstring>

#include "base/strings.h"
#include "smtp/proto/proxy_header.h"
#include "smtp/server/metrics.h"

namespace posthaste::smtp::server {

using proto::Verb;

namespace {

constexpr std::size_t kMaxHelo = 255;
constexpr std::size_t kFreeJunkCommands = 100;
constexpr unsigned char kTlsHandshake = 0x16;

std::string_view metric_of(Verb verb) {
  switch (verb) {
    case Verb::Mail:
      return "MAIL";
    case Verb::Rcpt:
      return "RCPT";
    case Verb::Data:
      return "DATA";
    case Verb::Bdat:
      return "BDAT";
    case Verb::Quit:
      return "QUIT";
    case Verb::Noop:
      return "NOOP";
    case Verb::Vrfy:
      return "VRFY";
    case Verb::Rset:
      return "RSET";
    case Verb::Helo:
      return "HELO";
    case Verb::Ehlo:
      return "EHLO";
    default:
      return {};  // counted where its words are understood
  }
}

}  // namespace

Session::Session(const Settings& settings, Handler& handler, Limits& limits, Surroundings around, std::string trace_id)
    : settings_(settings),
      handler_(handler),
      limits_(limits),
      around_(std::move(around)),
      trace_id_(std::move(trace_id)),
      memory_(limits),
      place_(limits) {}

Session::~Session() = default;

// --- opening

void Session::open(const IpAddress& peer, bool tls_ready) {
  opened_ = around_.clock();
  peer_ = peer;
  tls_ready_ = tls_ready;
  client_ = peer;
  if (!settings_.proxy_protocol) return identify(peer);
  state_ = State::Proxy;
  if (!settings_.trusts_proxy(peer)) close("PROXY peer is not trusted");
}

void Session::identify(const IpAddress& client) {
  client_ = client;
  exempt_ = settings_.exempt(client);
  ++progress_;
  const std::string ip = client.text();
  logged_ = !settings_.unlogged || !settings_.unlogged(ip);
  if (logged_ && settings_.log_connections)
    log::debug("smtp-server", "Connection opened from " + peer_.text(), about());
  if (logged_) log::debug("smtp-server", "Client identified as " + ip, about());
  if (!settings_.implicit_tls) return greet();
  state_ = State::Handshake;
  want_ = Want::StartTls;
}

void Session::greet() {
  state_ = State::Welcome;
  reply(220, {}, fmt::format("{} ESMTP {}/{}", settings_.host, settings_.product, trace_id_));
}

void Session::refuse_connection(std::string_view text) {
  out_.clear();
  reply(421, {}, fmt::format("{} {}", settings_.host, text));
  close(text);
}

std::size_t Session::take_proxy_header(std::string_view input) {
  const std::size_t before = line_.size();
  line_ += input;
  const auto header = proto::parse_proxy_header(line_);
  if (header.state == proto::ProxyHeader::State::More) return input.size();
  line_.clear();

  if (header.state == proto::ProxyHeader::State::Done) {
    count::command("PROXY");
    offloaded_tls_ = header.tls;
    identify(header.client.value_or(peer_));
    return header.used - before;
  }
  count::client_error("proxy-error");
  if (header.state == proto::ProxyHeader::State::Error) reply(502, {}, "Proxy Error");
  close("broken PROXY header");
  return input.size();
}

// --- lines

std::size_t Session::receive(std::string_view input) {
  const std::size_t whole = input.size();
  bytes_in_ += whole;
  while (!input.empty() && want_ == Want::Input) {
    std::size_t used = 0;
    if (state_ == State::Proxy) {
      used = take_proxy_header(input);
    } else if (text_mode_ == Text::Data) {
      used = take_text(input);
    } else if (text_mode_ == Text::Chunk) {
      used = take_chunk(input);
    } else if (skipping_) {
      used = skip_line(input);
    } else {
      used = take_line(input);
    }
    input.remove_prefix(used);
  }
  if (want_ == Want::Close) return whole;  // nothing is looked at any more
  bytes_in_ -= input.size();
  return whole - input.size();
}

std::size_t Session::take_line(std::string_view input) {
  if (first_line_ && line_.empty() && static_cast<unsigned char>(input[0]) == kTlsHandshake) {
    close("TLS on a clear-text port");
    return input.size();
  }
  const std::size_t limit = auth_ == Auth::None ? settings_.max_command_line : settings_.max_auth_line;
  const auto* lf = static_cast<const char*>(std::memchr(input.data(), '\n', input.size()));
  const std::size_t used = lf ? std::size_t(lf - input.data()) + 1 : input.size();
  if (line_.size() + used > limit) {
    line_.clear();
    skipping_ = true;
    return 0;
  }
  if (!lf) {
    line_ += input;
    return used;
  }

  std::string kept;  // outlives the views of it
  std::string_view line = input.substr(0, used - 1);
  if (!line_.empty()) {
    kept = std::exchange(line_, {}) + std::string(line);
    line = kept;
  }
  const bool crlf = line.ends_with('\r');
  if (crlf) line.remove_suffix(1);
  if (!crlf) ++bare_lf_lines_;
  ++progress_;
  on_line(line, crlf);
  return used;
}

std::size_t Session::skip_line(std::string_view input) {
  const auto lf = input.find('\n');
  if (lf == std::string_view::npos) return input.size();
  skipping_ = false;
  ++progress_;
  if (auth_ == Auth::None) {
    error(500, "5.5.2", "Line too long", "line-too-long");
  } else {
    auth_ = Auth::None;
    error(500, "5.5.6", "Authentication exchange line is too long", "line-too-long");
  }
  return lf + 1;
}

void Session::on_line(std::string_view line, bool crlf) {
  const bool first = std::exchange(first_line_, false);
  if (auth_ != Auth::None) {
    log_input(line, true);
    on_auth_line(line);
    return;
  }
  log_input(line, false);
  if (first && foreign_protocol(line)) {
    goodbye("4.7.0", "Protocol error");
  } else if (proto::has_control_character(line)) {
    error(500, "5.5.2", "Invalid character in command", "invalid-character");
  } else {
    on_command(line, crlf);
  }
}

bool Session::foreign_protocol(std::string_view line) {
  for (const std::string_view verb : {"GET ", "POST ", "PUT ", "HEAD ", "OPTIONS ", "CONNECT "})
    if (line.starts_with(verb)) return true;
  return false;
}

void Session::on_command(std::string_view line, bool crlf) {
  const auto command = proto::parse_command(line);
  if (const auto name = metric_of(command.verb); !name.empty()) count::command(name);
  if (text_mode_ == Text::None && state_ != State::Mail && state_ != State::Rcpt &&
      around_.clock() - opened_ > settings_.max_session) {
    count::timeout("session");
    goodbye("4.4.2", "Session too long");
    return;
  }
  switch (command.verb) {
    case Verb::Quit:
      if (!command.argument.empty()) break;
      reply(221, "2.0.0", "Closing Connection");
      return close("quit");
    case Verb::StartTls:
      return on_starttls(command.argument);
    case Verb::Ehlo:
    case Verb::Helo:
      return on_greeting(command, command.verb == Verb::Ehlo);
    case Verb::Rset:
      if (!command.argument.empty()) break;
      return on_rset();
    case Verb::Noop:
      reply(250, "2.0.0", "OK");
      return count_junk();
    case Verb::Vrfy:
      reply(252, "2.5.2", "Cannot verify user, send some mail");
      return count_junk();
    case Verb::Auth:
      return on_auth(command.argument);
    case Verb::Mail:
      return on_mail(command.argument);
    case Verb::Rcpt:
      return on_rcpt(command.argument);
    case Verb::Data:
      return on_data(command.argument, crlf);
    case Verb::Bdat:
      if (settings_.chunking) return on_bdat(command.argument);
      return error(502, "5.5.1", "Invalid/unsupported command", "invalid-command");
    case Verb::Unknown:
      return error(502, "5.5.1", "Invalid/unsupported command", "invalid-command");
  }
  error(501, "5.5.4", "Syntax error, no parameters allowed", "syntax");
}

// --- simple commands

void Session::on_greeting(const proto::Command& command, bool extended) {
  if (state_ != State::Welcome) count_junk();
  if (want_ == Want::Close) return;
  helo_ = std::string(trim(command.argument).substr(0, kMaxHelo));
  extended_ = extended;
  reset_transaction();
  state_ = State::Welcomed;
  reply(250, {}, extended ? capabilities() : settings_.host);
}

std::string Session::capabilities() const {
  std::string lines = settings_.host + " My capabilities are";
  if (settings_.pipelining) lines += "\nPIPELINING";
  lines += fmt::format("\nSIZE {}\n8BITMIME", settings_.max_message_size());
  if (settings_.enhanced_status_codes) lines += "\nENHANCEDSTATUSCODES";
  if (settings_.chunking) lines += "\nCHUNKING";
  if (settings_.smtputf8) lines += "\nSMTPUTF8";
  lines += fmt::format("\nLIMITS MAILMAX={} RCPTMAX={}", settings_.max_messages, settings_.max_recipients);
  if (settings_.tls_enabled && tls_ready_ && !tls_ && !settings_.implicit_tls) lines += "\nSTARTTLS";
  if (!login_ && auth_open()) lines += "\nAUTH" + mechanisms();
  return lines;
}

void Session::on_rset() {
  const bool idle = state_ != State::Mail && state_ != State::Rcpt;
  if (idle) count_junk();
  if (want_ == Want::Close) return;
  if (state_ != State::Welcome) state_ = State::Welcomed;
  reset_transaction();
  reply(250, "2.0.0", "OK");
}

void Session::on_starttls(std::string_view argument) {
  if (tls_) return error(503, "5.5.1", "TLS already active", "starttls-out-of-order");
  if (!settings_.tls_enabled) return error(502, "5.5.1", "TLS not available", "tls-unavailable");
  if (!tls_ready_) return error(454, "4.7.0", "TLS not available due to temporary reason", "tls-unavailable");
  if (!argument.empty()) return error(501, "5.5.4", "Syntax error, no parameters allowed", "syntax");
  if (state_ == State::Mail || state_ == State::Rcpt)
    return error(503, "5.5.1", "STARTTLS not allowed during a mail transaction", "starttls-out-of-order");
  count::command("STARTLS");
  reply(220, "2.0.0", "Ready to start TLS");
  want_ = Want::StartTls;
}

// RFC 3207 4.2: what was said in clear is forgotten.
void Session::tls_started(const io::TlsInfo& info) {
  count::tls_connection();
  if (want_ != Want::StartTls) return;  // ended while the handshake ran
  reset_transaction();
  tls_ = info;
  if (state_ == State::Handshake)
    greet();
  else
    state_ = State::Welcome;
  helo_.clear();
  extended_ = false;
  login_.reset();
  place_.leave();
  auth_ = Auth::None;
  first_line_ = false;
  want_ = Want::Input;
  ++progress_;
}

void Session::injected() {
  count::client_error("starttls-injection");
  warn("starttls-injection");
  close("starttls-injection");
}

void Session::count_junk() {
  if (state_ == State::Mail || state_ == State::Rcpt || ++junk_ <= kFreeJunkCommands) return;
  if (++errors_ >= settings_.max_errors) goodbye("4.7.0", "Too many errors");
}

void Session::reset_transaction() {
  mail_from_.clear();
  smtputf8_ = false;
  announced_size_ = 0;
  recipients_.clear();
  domain_id_.reset();
  text_ = {};
  decoder_.reset();
  memory_.hold(0);
  text_mode_ = Text::None;
  chunks_ = false;
  chunk_refusal_.reset();
}

}  // namespace posthaste::smtp::server
