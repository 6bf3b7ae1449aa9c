#include "base/log.h"
#include "base/strings.h"
#include "inspection/clamd_reply.h"
#include "inspection/clients.h"
#include "inspection/talk.h"

namespace posthaste::inspection {

namespace {

constexpr std::size_t kMostReply = 4096;

io::Task<Result<>> stream_to(Talk& talk, std::string_view bytes) {
  auto said = co_await talk.say(kInstream);
  while (said && !bytes.empty()) {
    const auto chunk = bytes.substr(0, kChunk);
    bytes.remove_prefix(chunk.size());
    const auto length = chunk_length(chunk.size());
    said = co_await talk.say({length.data(), length.size()});
    if (said) said = co_await talk.say(chunk);
  }
  const auto end = chunk_length(0);
  if (said) said = co_await talk.say({end.data(), end.size()});
  co_return said;
}

// A message beyond its limit is answered in the middle of it: then there is a reply although sending failed.
io::Task<Result<std::string>> scan(Dialer& clamd, store::RawMessage raw, Steady::time_point deadline) {
  auto stream = co_await clamd.dial(deadline);
  if (!stream) co_return std::unexpected(std::move(stream.error()));
  Talk talk(std::move(*stream), deadline);
  auto said = co_await stream_to(talk, raw.bytes());
  if (!said && said.error().kind == ErrorKind::Timeout) co_return std::unexpected(std::move(said.error()));
  auto reply = co_await talk.listen(kMostReply, '\0');
  if (reply && !reply->empty()) co_return reply;
  if (!said) co_return std::unexpected(std::move(said.error()));
  if (reply) co_return fail(ErrorKind::Closed, "hung up without an answer");
  co_return reply;
}

}  // namespace

io::Task<VirusScan> ask_clamd(Dialer& clamd, store::RawMessage raw, Duration timeout) {
  const auto reply = co_await scan(clamd, std::move(raw), Steady::now() + timeout);
  VirusScan result;
  if (!reply) {
    const bool slow = reply.error().kind == ErrorKind::Timeout;
    if (!slow) log::warn("worker", "clamd: " + reply.error().text, {{"cause", reply.error().cause}});
    result.outcome = slow ? Outcome::TimedOut : Outcome::Failed;
    result.details = slow ? "Timed out scanning for threats" : "Error when scanning for threats";
    co_return result;
  }
  result = parse_clamd_reply(*reply);
  if (result.outcome == Outcome::Unreadable)
    log::warn("worker", "clamd could not scan a message", {{"answer", trim(reply->substr(0, reply->find('\0')))}});
  co_return result;
}

}  // namespace posthaste::inspection
