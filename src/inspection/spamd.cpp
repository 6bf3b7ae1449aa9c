#include "base/log.h"
#include "inspection/clients.h"
#include "inspection/spamd_reply.h"
#include "inspection/talk.h"

namespace posthaste::inspection {

namespace {

constexpr std::size_t kMostReply = 1 << 20;

SpamScan failed(const Error& error) {
  if (error.kind == ErrorKind::Timeout) return without_score(Outcome::TimedOut, "Timed out when scanning for spam");
  log::warn("worker", "spamd: " + error.text, {{"cause", error.cause}});
  return without_score(Outcome::Failed, "Error when scanning for spam");
}

io::Task<Result<std::string>> report(Dialer& spamd, store::RawMessage raw, Steady::time_point deadline) {
  auto stream = co_await spamd.dial(deadline);
  if (!stream) co_return std::unexpected(std::move(stream.error()));
  Talk talk(std::move(*stream), deadline);
  const std::string head = spamd_request(raw.size());
  auto said = co_await talk.say(head);
  if (said) said = co_await talk.say(raw.bytes());
  if (!said) co_return std::unexpected(std::move(said.error()));
  talk.end_sending();
  co_return co_await talk.listen(kMostReply);
}

}  // namespace

io::Task<SpamScan> ask_spamd(Dialer& spamd, store::RawMessage raw, bool incoming, Duration timeout) {
  const auto reply = co_await report(spamd, std::move(raw), Steady::now() + timeout);
  if (!reply) co_return failed(reply.error());
  if (reply->empty()) co_return failed(Error{ErrorKind::Closed, "hung up without an answer", {}});
  auto scan = parse_spamd_reply(*reply, incoming);
  if (scan) co_return std::move(*scan);
  log::warn("worker", "spamd: no rules in its answer", {{"answer", reply->substr(0, reply->find_first_of("\r\n"))}});
  co_return without_score(Outcome::Unreadable, "Error when scanning for spam");
}

}  // namespace posthaste::inspection
