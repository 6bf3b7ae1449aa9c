// held list|release|cancel: what waits for a person, and what the person decides (outbound-delivery.md 7).
#include "app/change.h"
#include "app/shown.h"
#include "manage/messages.h"

namespace posthaste::app {

namespace {

struct Options {
  std::string server;
  store::Id id = 0;
  bool all = false;
  std::size_t limit = 1000;
};

std::string list_json(const std::vector<manage::ListedMessage>& messages) {
  JsonWriter json;
  json.begin_array();
  for (const auto& message : messages) {
    json.begin_object().field("id", message.id).field("token", message.token).field("scope", message.scope);
    json.field("rcpt_to", message.rcpt_to).field("mail_from", message.mail_from).field("subject", message.subject);
    json.field("timestamp", to_unix_seconds(message.timestamp)).key("hold_expiry");
    message.hold_expiry ? json.value(to_unix_seconds(*message.hold_expiry)) : json.null();
    json.field("details", message.held_because).end_object();
  }
  return json.end_array().take();
}

std::string list_text(const std::vector<manage::ListedMessage>& messages) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& message : messages)
    rows.push_back({std::to_string(message.id), message.hold_expiry ? to_iso8601(*message.hold_expiry, 0) : "-",
                    shown(message.rcpt_to, 60), shown(message.mail_from, 60), shown(message.subject, 40),
                    shown(message.held_because, 100)});
  return table({"ID", "HELD UNTIL", "TO", "FROM", "SUBJECT", "WHY"}, rows);
}

int list(Call& call, const Options& options) {
  const auto directory = call.installation->store.directory();
  const auto server = find_server(*directory, options.server);
  if (!server) return call.fail(server.error());
  const auto held = manage::list_messages(context_of(call), (*server)->id, {.held = true, .limit = options.limit});
  call.json ? call.line(list_json(held)) : call.print(list_text(held));
  return kDone;
}

using Action = Result<> (*)(Call& call, store::Id server, store::Id message);

Result<> release_one(Call& call, store::Id server, store::Id message) {
  if (auto held = manage::must_be_held(context_of(call), server, message); !held) return held;
  const auto done = call.installation->store.requeue(server, message);
  return done ? Result<>{} : std::unexpected(done.error());
}

Result<> cancel_one(Call& call, store::Id server, store::Id message) {
  return manage::cancel_hold(context_of(call), server, message);
}

// One message, or all that are held. What somebody else was quicker with, or what cannot be done, is named.
int act(Call& call, const Options& options, std::string_view what, Action action) {
  const auto directory = call.installation->store.directory();
  const auto server = find_server(*directory, options.server);
  if (!server) return call.fail(server.error());
  std::vector<store::Id> ids{options.id};
  if (options.id == 0) {
    ids.clear();
    for (const auto& message : manage::list_messages(context_of(call), (*server)->id, {.held = true, .limit = 0}))
      ids.push_back(message.id);
    std::ranges::reverse(ids);  // oldest first, as they came
  }
  std::size_t done = 0;
  int status = kDone;
  for (const auto id : ids) {
    const auto result = action(call, (*server)->id, id);
    result ? void(++done) : void(status = call.fail(result.error()));
  }
  if (call.installation->worker && done > 0) call.installation->worker->wake();
  if (options.id != 0 && done == 0) return status;
  call.line(call.json ? fmt::format(R"({{"{}":{}}})", what, done) : fmt::format("{} message(s) {}.", done, what));
  return status;
}

int release(Call& call, const Options& options) {
  if (options.id == 0 && !options.all && !call.yes)
    return call.fail(kUsage, "Say which: the number of a message (`held list` shows them), or --all.");
  return act(call, options, "released", release_one);
}

int cancel(Call& call, const Options& options) {
  if (options.id == 0 && !options.all)
    return call.fail(kUsage, "Say which: the number of a message (`held list` shows them), or --all.");
  if (options.id == 0 && !confirmed(call, "This gives up all held messages; they will not be sent.")) return kUsage;
  return act(call, options, "cancelled", cancel_one);
}

}  // namespace

void add_held(CommandLine& line) {
  const auto options = std::make_shared<Options>();
  auto* held = line.root().add_subcommand("held", "Messages that wait for a decision")->require_subcommand(1);
  const auto verb = [&](const char* name, const char* text, auto run) {
    auto* app = held->add_subcommand(name, text);
    app->add_option("SERVER", options->server, "Mail server: ORG/SERVER, id or UUID")->required();
    line.add(app, Needs::Installation, [options, run](Call& call) { return run(call, *options); });
    return app;
  };
  verb("list", "Show held messages and why they are held, the newest on top", list)
      ->add_option("--limit", options->limit, "At most this many (default: 1000)")
      ->check(CLI::PositiveNumber);
  for (auto* app : {verb("release", "Send held messages after all", release),
                    verb("cancel", "Give held messages up without sending them", cancel)}) {
    auto* id = app->add_option("ID", options->id, "Number of the message")->check(CLI::PositiveNumber);
    app->add_flag("--all", options->all, "All that are held")->excludes(id);
  }
}

}  // namespace posthaste::app
