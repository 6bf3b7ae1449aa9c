#include "smtp/client/transaction.h"

#include <fmt/format.h>

#include "smtp/client/content.h"

namespace posthaste::smtp::client {

namespace {

using Received = Result<proto::ReceivedReply>;
using Kind = Outcome::Kind;

Ended ended(Kind kind, Stage stage, std::string error) {
  Ended end;
  end.outcome.kind = kind;
  end.outcome.stage = stage;
  end.outcome.error = std::move(error);
  end.close = kind == Kind::Broken || kind == Kind::Uncertain;
  return end;
}

Ended answered(Kind kind, Stage stage, const proto::ReceivedReply& reply) {
  Ended end = ended(kind, stage, "");
  end.outcome.reply = Reply{reply.code, reply.text};
  end.close = reply.code == 421;
  end.reset_next = kind == Kind::Refused;
  return end;
}

// Says all commands up to DATA and finds out whether the content is wanted.
class Prelude {
 public:
  Prelude(Transaction& transaction, const TransactionLines& lines) : t_(transaction), lines_(lines) {}

  // Nothing: the server waits for the content.
  io::Task<std::optional<Ended>> one_by_one();
  io::Task<std::optional<Ended>> in_one_flight();

 private:
  struct Step {
    Stage stage;
    std::string_view line;
    bool is_reset = false;
  };
  std::vector<Step> steps() const;
  Duration patience(const Step& step) const {
    return step.stage == Stage::Data ? t_.timeouts.data : t_.timeouts.command;
  }
  std::optional<Ended> judge(const Step& step, const Received& reply);
  io::Task<void> finish_refused_flight(std::vector<Step> rest, Ended& end);

  Transaction& t_;
  const TransactionLines& lines_;
  bool first_reply_ = true;
};

std::vector<Prelude::Step> Prelude::steps() const {
  std::vector<Step> steps;
  if (t_.reset_first) steps.push_back({Stage::Mail, "RSET", true});
  steps.push_back({Stage::Mail, lines_.mail});
  steps.push_back({Stage::Rcpt, lines_.rcpt});
  steps.push_back({Stage::Data, "DATA"});
  return steps;
}

std::optional<Ended> Prelude::judge(const Step& step, const Received& reply) {
  if (!reply) return ended(Kind::Broken, step.stage, reply.error().text);
  const bool first = std::exchange(first_reply_, false);
  if (first && t_.reused && reply->code == 421) {
    // Most likely said before we asked: the connection had been idle for too long.
    Ended end = answered(Kind::Broken, step.stage, *reply);
    end.outcome.error = reply->text;
    return end;
  }
  if (reply->code == 421) return answered(Kind::Refused, step.stage, *reply);
  if (step.is_reset) return std::nullopt;
  const bool accepted = step.stage == Stage::Data ? reply->intermediate() : reply->positive();
  if (accepted) return std::nullopt;
  return answered(Kind::Refused, step.stage, *reply);
}

io::Task<std::optional<Ended>> Prelude::one_by_one() {
  const auto all = steps();
  for (const auto& step : all) {
    const auto reply = co_await t_.connection.channel->command(step.line, patience(step));
    if (auto end = judge(step, reply)) co_return end;
  }
  co_return std::nullopt;
}

io::Task<std::optional<Ended>> Prelude::in_one_flight() {
  const auto all = steps();
  std::vector<std::string_view> bytes;
  for (const auto& step : all) {
    bytes.push_back(step.line);
    bytes.push_back("\r\n");
  }
  auto& channel = *t_.connection.channel;
  auto written = co_await channel.write_all(bytes, t_.timeouts.write);
  if (!written) co_return ended(Kind::Broken, Stage::Mail, written.error().text);

  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto reply = co_await channel.reply(patience(all[i]));
    auto end = judge(all[i], reply);
    if (!end) continue;
    std::vector<Step> rest(all.begin() + std::ptrdiff_t(i) + 1, all.end());
    if (!end->close) co_await finish_refused_flight(std::move(rest), *end);
    co_return end;
  }
  co_return std::nullopt;
}

// The commands behind a refused one are on their way already. Their replies change nothing, but they have to be taken;
// a server that accepts DATA all the same gets an empty message for nobody.
io::Task<void> Prelude::finish_refused_flight(std::vector<Step> rest, Ended& end) {
  auto& channel = *t_.connection.channel;
  bool wants_content = false;
  for (const auto& step : rest) {
    const auto reply = co_await channel.reply(patience(step));
    end.close = end.close || !reply || reply->code == 421;
    if (end.close) co_return;
    wants_content = step.stage == Stage::Data && reply->intermediate();
  }
  if (!wants_content) co_return;
  const auto reply = co_await channel.command(".", t_.timeouts.command);
  end.close = !reply || reply->code == 421;
}

io::Task<Ended> send_content(Transaction& t) {
  auto& channel = *t.connection.channel;
  auto content = co_await write_content(channel, std::move(t.pieces), std::move(t.before_dot), t.timeouts.write);
  if (!content.result) {
    co_return ended(content.dot_sent ? Kind::Uncertain : Kind::Broken, Stage::Content, content.result.error().text);
  }
  const auto reply = co_await channel.reply(t.timeouts.final_dot);
  if (!reply) co_return ended(Kind::Uncertain, Stage::Content, reply.error().text);
  co_return answered(reply->positive() ? Kind::Accepted : Kind::Refused, Stage::Content, *reply);
}

}  // namespace

io::Task<Ended> run(Transaction t) {
  const auto content = measure(t.pieces);
  const auto lines = transaction_lines(t.envelope, content, t.connection.capabilities);
  if (!lines) {
    Ended unfit = ended(Kind::Unfit, Stage::Mail, lines.error().text);
    unfit.reset_next = t.reset_first;
    co_return unfit;
  }
  if (t.connection.channel->has_unread()) {
    // Its next reply would be taken for that to another command, and so on with all that follow.
    co_return ended(Kind::Broken, Stage::Mail, "protocol error: the server spoke without being asked");
  }
  Prelude prelude(t, *lines);
  std::optional<Ended> refused;
  if (t.connection.capabilities.pipelining) {
    refused = co_await prelude.in_one_flight();
  } else {
    refused = co_await prelude.one_by_one();
  }
  if (refused) co_return std::move(*refused);
  co_return co_await send_content(t);
}

}  // namespace posthaste::smtp::client
