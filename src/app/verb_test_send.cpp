// test-send: one message through a mail server, followed until something became of it.
#include <thread>

#include "app/command.h"
#include "base/json.h"
#include "base/random.h"
#include "base/strings.h"

namespace posthaste::app {

namespace {

struct Options {
  std::string to, from, server;
  int wait = 30;
};

// The address to send from: as asked, or `posthaste-test@` the first verified domain of the mail server.
Result<std::string> sender_address(const store::Directory& directory, const store::Server& server,
                                   const std::string& asked) {
  if (!asked.empty()) return asked;
  for (const auto* domain : directory.domains()) {
    const bool own = domain->owner_type == store::OwnerType::Server ? domain->owner_id == server.id
                                                                    : domain->owner_id == server.organization_id;
    if (own && domain->verified_at) return "posthaste-test@" + domain->name;
  }
  return fail(ErrorKind::NotFound,
              fmt::format("{} has no verified domain to send from. Add one: domain create NAME --server {} --verified",
                          directory.path(server), directory.path(server)));
}

std::string message_text(const config::Config& config, const std::string& from, const std::string& to) {
  const Time now = system_now();
  return fmt::format(
      "Date: {}\r\nFrom: {}\r\nTo: {}\r\nMessage-ID: <{}@{}>\r\nSubject: Test message from Posthaste\r\n"
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
      "This message was sent by `posthaste test-send` on {}.\r\nIf you can read it, mail gets out.\r\n",
      to_rfc5322(now), from, to, random_uuid(), config.dns.return_path_domain, config.postal.smtp_hostname);
}

struct Sent {
  store::Message message;
  std::vector<store::Delivery> deliveries;
};

// Until there is a delivery, or the time is over.
Sent follow(store::Store& store, store::Id server, store::Id message, std::chrono::seconds time) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  for (;;) {
    Sent sent{store.message(server, message).value_or(store::Message{}), store.deliveries(server, message)};
    if (!sent.deliveries.empty() || std::chrono::steady_clock::now() >= deadline) return sent;
    std::this_thread::sleep_for(100ms);
  }
}

int send(Call& call, const Options& options) {
  auto& installation = *call.installation;
  const auto directory = installation.store.directory();
  const auto server = find_server(*directory, options.server);
  if (!server) return call.fail(server.error());
  const auto from = sender_address(*directory, **server, options.from);
  if (!from) return call.fail(from.error());
  const auto* domain = directory->sending_domain(**server, from->substr(from->rfind('@') + 1));
  if (!domain)
    return call.fail(kRefused, fmt::format("{} may not send from {}: the domain is not one of its verified domains.",
                                           directory->path(**server), *from));

  store::NewMessage message;
  message.token = random_alphanumeric(16);
  message.rcpt_to = options.to;
  message.mail_from = *from;
  message.subject = "Test message from Posthaste";
  message.domain_id = domain->id;
  std::vector<store::Submission> submissions;
  submissions.push_back(
      {(*server)->id, system_now(), store::RawMessage(message_text(*call.config, *from, options.to)), {message}});
  const auto stored = installation.wait(installation.intake->accept(std::move(submissions)));
  if (!stored) return call.fail(stored.error());
  const store::Id id = stored->front().messages.front().message_id;

  const Sent sent = follow(installation.store, (*server)->id, id, std::chrono::seconds(options.wait));
  if (call.json) {
    JsonWriter json;
    json.begin_object().field("server", directory->path(**server)).field("id", id).field("status", sent.message.status);
    json.field("details", sent.deliveries.empty() ? "" : sent.deliveries.back().details);
    json.field("output", sent.deliveries.empty() ? "" : sent.deliveries.back().output).end_object();
    call.line(json.text());
  } else if (sent.deliveries.empty()) {
    call.line(fmt::format("Message {} is queued; nothing became of it within {} s. `messages show {} {}` tells later.",
                          id, options.wait, directory->path(**server), id));
  } else {
    const auto& last = sent.deliveries.back();
    call.line(fmt::format("Message {}: {}. {}", id, last.status, last.details));
    if (!last.output.empty()) call.line(last.output);
  }
  return sent.message.status == "Sent" ? kDone : kNegative;
}

}  // namespace

void add_test_send(CommandLine& line) {
  const auto options = std::make_shared<Options>();
  auto* app = line.root().add_subcommand("test-send", "Send a test message and show what became of it");
  app->add_option("TO", options->to, "Recipient")->required();
  app->add_option("--from", options->from, "Sender (default: posthaste-test@ the server's first verified domain)");
  app->add_option("--server", options->server, "Mail server: ORG/SERVER, id or UUID (default: the only one)");
  app->add_option("--wait", options->wait, "Seconds to wait for the outcome")->check(CLI::Range(0, 600));
  line.add(app, Needs::Installation, [options](Call& call) { return send(call, *options); });
}

}  // namespace posthaste::app
