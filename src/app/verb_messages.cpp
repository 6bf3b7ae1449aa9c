// messages list|show|retry: what was sent, what became of one message, and sending it again.
#include "app/change.h"
#include "app/shown.h"
#include "base/strings.h"
#include "manage/messages.h"

namespace posthaste::app {

namespace {

struct Options {
  std::string server, message;
  bool raw = false;
  manage::MessageFilter filter;
};

struct Found {
  const store::Server* server;
  store::Message message;
};

Result<Found> find(Call& call, const store::Directory& directory, const Options& options) {
  auto server = find_server(directory, options.server);
  if (!server) return std::unexpected(std::move(server.error()));
  auto& store = call.installation->store;
  const auto id = parse_int(options.message);
  auto message = id ? store.message((*server)->id, *id) : std::nullopt;
  if (!message) message = store.message_by_token((*server)->id, options.message);
  if (!message)
    return fail(ErrorKind::NotFound, fmt::format("{} has no message with the number or token {}. `messages list` shows "
                                                 "them.",
                                                 directory.path(**server), options.message));
  return Found{*server, std::move(*message)};
}

std::string list_json(const std::vector<manage::ListedMessage>& messages) {
  JsonWriter json;
  json.begin_array();
  for (const auto& message : messages) {
    json.begin_object().field("id", message.id).field("token", message.token).field("scope", message.scope);
    json.field("status", message.status).field("rcpt_to", message.rcpt_to).field("mail_from", message.mail_from);
    json.field("subject", message.subject).field("tag", message.tag);
    json.field("timestamp", to_unix_seconds(message.timestamp)).end_object();
  }
  return json.end_array().take();
}

std::string list_text(const std::vector<manage::ListedMessage>& messages) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& message : messages)
    rows.push_back({std::to_string(message.id), message.token, to_iso8601(message.timestamp, 0), message.status,
                    shown(message.rcpt_to, 60), shown(message.mail_from, 60), shown(message.subject, 50)});
  return table({"ID", "TOKEN", "TIME", "STATUS", "TO", "FROM", "SUBJECT"}, rows);
}

int list(Call& call, const Options& options) {
  const auto directory = call.installation->store.directory();
  const auto server = find_server(*directory, options.server);
  if (!server) return call.fail(server.error());
  const auto messages = manage::list_messages(context_of(call), (*server)->id, options.filter);
  call.json ? call.line(list_json(messages)) : call.print(list_text(messages));
  return kDone;
}

std::string show_json(const store::Message& message, const std::vector<store::Delivery>& deliveries) {
  JsonWriter json;
  json.begin_object().field("id", message.id).field("token", message.token).field("scope", message.scope);
  json.field("status", message.status).field("rcpt_to", message.rcpt_to).field("mail_from", message.mail_from);
  json.field("subject", message.subject).field("message_id", message.message_id).field("tag", message.tag);
  json.field("timestamp", to_unix_seconds(message.timestamp))
      .field("held", message.held)
      .key("deliveries")
      .begin_array();
  for (const auto& delivery : deliveries) {
    json.begin_object()
        .field("status", delivery.status)
        .field("details", delivery.details)
        .field("output", delivery.output);
    json.field("log_id", delivery.log_id).field("sent_with_ssl", delivery.sent_with_ssl);
    json.field("timestamp", to_unix_seconds(delivery.timestamp)).field("time", delivery.seconds).end_object();
  }
  return json.end_array().end_object().take();
}

std::string show_text(const store::Message& message, const std::vector<store::Delivery>& deliveries) {
  std::string out = fmt::format("Message {} ({}), {}\n  From     {}\n  To       {}\n  Subject  {}\n  Status   {}\n",
                                message.id, message.token, to_iso8601(message.timestamp, 0), shown(message.mail_from),
                                shown(message.rcpt_to), shown(message.subject), message.status);
  for (const auto& delivery : deliveries) {
    out += fmt::format("{}  {:<9}  {}\n", to_iso8601(delivery.timestamp, 0), delivery.status,
                       shown(delivery.details, 500));
    for (const auto line : split(delivery.output, '\n'))
      if (!line.empty()) out += fmt::format("                      {}\n", shown(line, 500));
  }
  return out;
}

int show(Call& call, const Options& options) {
  auto& store = call.installation->store;
  const auto directory = store.directory();
  const auto found = find(call, *directory, options);
  if (!found) return call.fail(found.error());
  if (options.raw) {
    const auto raw = store.raw(found->server->id, found->message);
    if (!raw) return call.fail(kNotFound, "The bytes of this message are no longer kept.");
    call.print(raw->bytes());
    return kDone;
  }
  const auto deliveries = store.deliveries(found->server->id, found->message.id);
  call.json ? call.line(show_json(found->message, deliveries)) : call.print(show_text(found->message, deliveries));
  return kDone;
}

std::string_view notice(store::Store::Requeued what) {
  switch (what) {
    case store::Store::Requeued::WasQueued:
      return "This message will be retried shortly.";
    case store::Store::Requeued::Released:
      return "This message has been released. Delivery will be attempted shortly.";
    default:
      return "This message will be redelivered shortly.";
  }
}

int retry(Call& call, const Options& options) {
  const auto directory = call.installation->store.directory();
  const auto found = find(call, *directory, options);
  if (!found) return call.fail(found.error());
  const auto done = call.installation->store.requeue(found->server->id, found->message.id);
  if (!done) return call.fail(done.error());
  if (call.installation->worker) call.installation->worker->wake();
  if (call.json)
    call.line(fmt::format(R"({{"notice":{}}})", json_quote(notice(*done))));
  else
    call.line(notice(*done));
  return kDone;
}

void add_which(CLI::App* app, const std::shared_ptr<Options>& options) {
  app->add_option("SERVER", options->server, "Mail server: ORG/SERVER, id or UUID")->required();
  app->add_option("ID", options->message, "Number or token of the message")->required();
}

}  // namespace

void add_messages(CommandLine& line) {
  const auto options = std::make_shared<Options>();
  auto* messages = line.root().add_subcommand("messages", "Messages that came in and went out")->require_subcommand(1);
  auto* list_app = messages->add_subcommand("list", "Show messages, the newest on top");
  list_app->add_option("SERVER", options->server, "Mail server: ORG/SERVER, id or UUID")->required();
  auto& filter = options->filter;
  list_app->add_option("--status", filter.status, "Only this status: Pending, Sent, SoftFail, HardFail, Held, ...");
  list_app->add_option("--to", filter.to, "Only recipients with this in their address");
  list_app->add_option("--from", filter.from, "Only senders with this in their address");
  list_app->add_option("--limit", filter.limit, "At most this many (default: 50)")->check(CLI::PositiveNumber);
  line.add(list_app, Needs::Installation, [options](Call& call) { return list(call, *options); });
  auto* show_app = messages->add_subcommand("show", "Show a message and what became of it");
  add_which(show_app, options);
  show_app->add_flag("--raw", options->raw, "Print the stored message itself");
  line.add(show_app, Needs::Installation, [options](Call& call) { return show(call, *options); });
  auto* retry_app =
      messages->add_subcommand("retry", "Due now when queued, released when held, otherwise delivered again");
  add_which(retry_app, options);
  line.add(retry_app, Needs::Installation, [options](Call& call) { return retry(call, *options); });
}

}  // namespace posthaste::app
