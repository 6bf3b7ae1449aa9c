#include "base/log.h"
#include "inspection/clients.h"

namespace posthaste::inspection {

namespace {

constexpr std::size_t kMostAnswer = 4 << 20;

// An address of an envelope may hold what a header line must not.
std::string one_line(std::string text) {
  std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  return text;
}

void add(io::HttpFields& fields, const char* name, const std::string& value) {
  if (!value.empty()) fields.emplace_back(name, one_line(value));
}

void add_client(io::HttpFields& fields, const Rspamd& rspamd, const Subject& subject) {
  if (subject.mail_from.empty()) fields.emplace_back("From", "");
  add(fields, "Ip", subject.ip);
  add(fields, "Helo", subject.helo);
  add(fields, "Hostname", subject.hostname);
  add(fields, "MTA-Name", rspamd.mta_name);
}

SpamScan failed(Outcome outcome, const std::string& what) {
  auto scan = without_score(Outcome::Failed, "Error when scanning with rspamd (" + what + ")");
  scan.outcome = outcome;
  return scan;
}

SpamScan not_answered(const io::HttpAnswer& answer) {
  log::warn("worker", "rspamd: " + answer.body.substr(0, kMostText), {{"code", answer.code}, {"cause", answer.cause}});
  switch (answer.code) {
    case io::http_code::kTimeout:
      return failed(Outcome::TimedOut, "timeout");
    case io::http_code::kTls:
      return failed(Outcome::Failed, "invalid certificate");
    default:
      return failed(Outcome::Failed, "no connection");
  }
}

}  // namespace

io::HttpFields rspamd_fields(const Rspamd& rspamd, const Subject& subject) {
  io::HttpFields fields;
  fields.emplace_back("User-Agent", rspamd.user_agent);
  add(fields, "Password", rspamd.password);
  add(fields, "Flags", rspamd.flags);
  add(fields, "Deliver-To", subject.rcpt_to);
  add(fields, "Rcpt", subject.rcpt_to);
  add(fields, "From", subject.mail_from);
  add(fields, "Queue-Id", subject.token);
  if (!subject.incoming) {
    fields.emplace_back("User", "");  // of ours, without saying which
    fields.emplace_back("Ip", "");
  } else if (rspamd.score == RspamdScore::Total) {
    add_client(fields, rspamd, subject);
  }
  return fields;
}

io::Task<SpamScan> ask_rspamd(io::HttpClient& http, Dialer& place, Rspamd rspamd, store::RawMessage raw,
                              Subject subject, Duration timeout) {
  Place at = place.place();
  // The certificate names the host; without one, names are looked up as for the other scanners.
  if (!rspamd.ssl) at.host = co_await place.address();
  io::HttpCall call;
  call.url = fmt::format("{}://{}/checkv2", rspamd.ssl ? "https" : "http", at.text());
  call.headers = rspamd_fields(rspamd, subject);
  call.body = std::string(raw.bytes());
  call.timeout = call.connect_timeout = timeout;
  call.max_answer = kMostAnswer;
  const auto answer = co_await http.send(std::move(call));
  if (answer.code < 0) co_return not_answered(answer);
  if (answer.code != 200) {
    log::warn("worker", "rspamd refuses to look at messages", {{"code", answer.code}});
    co_return failed(Outcome::Unreadable, fmt::format("got {}", answer.code));
  }
  auto scan = parse_rspamd_reply(answer.body, rspamd.score);
  if (scan) co_return std::move(*scan);
  log::warn("worker", "rspamd: its answer cannot be read", {{"answer", answer.body.substr(0, kMostText)}});
  co_return failed(Outcome::Unreadable, "unreadable answer");
}

}  // namespace posthaste::inspection
