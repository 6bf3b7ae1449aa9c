// queue list|stats|retry|delete: what waits, and what a person does about it.
#include "app/command.h"
#include "base/json.h"
#include "base/strings.h"

namespace posthaste::app {

namespace {

struct Options {
  std::string server, domain, older_than;
  std::size_t limit = 1000;
  bool all = false;
};

void add_filter(CLI::App* app, const std::shared_ptr<Options>& options) {
  app->add_option("--server", options->server, "Only this mail server: ORG/SERVER, id or UUID");
  app->add_option("--domain", options->domain, "Only recipients at this domain");
  app->add_option("--older-than", options->older_than, "Only messages queued longer than this: 90s, 15m, 6h, 2d");
  app->add_option("--limit", options->limit, "At most this many")->check(CLI::PositiveNumber);
  app->add_flag("--all", options->all, "Without a limit");
}

std::optional<std::chrono::seconds> parse_age(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto number = parse_int(text.substr(0, text.size() - 1));
  if (!number || *number < 0) return std::nullopt;
  switch (text.back()) {
    case 's':
      return std::chrono::seconds(*number);
    case 'm':
      return std::chrono::minutes(*number);
    case 'h':
      return std::chrono::hours(*number);
    case 'd':
      return std::chrono::days(*number);
    default:
      return std::nullopt;
  }
}

Result<store::QueueFilter> filter_of(const Options& options, const store::Directory& directory) {
  store::QueueFilter filter;
  if (!options.server.empty()) {
    auto server = find_server(directory, options.server);
    if (!server) return std::unexpected(std::move(server.error()));
    filter.server_id = (*server)->id;
  }
  filter.domain = options.domain;
  if (!options.older_than.empty()) {
    const auto age = parse_age(options.older_than);
    if (!age) return fail(ErrorKind::Invalid, "--older-than takes a number with s, m, h or d: 90s, 15m, 6h, 2d.");
    filter.created_before = system_now() - *age;
  }
  filter.limit = options.all ? 0 : options.limit;
  return filter;
}

std::string server_path(const store::Directory& directory, store::Id id) {
  const auto* server = directory.server(id);
  return server ? directory.path(*server) : std::to_string(id);
}

std::string list_json(const std::vector<store::QueueEntry>& entries, const store::Directory& directory) {
  JsonWriter json;
  json.begin_array();
  for (const auto& entry : entries) {
    json.begin_object().field("server", server_path(directory, entry.server_id)).field("message", entry.message_id);
    json.field("domain", entry.domain).field("attempts", entry.attempts).key("due");
    if (entry.retry_after)
      json.value(to_unix_micros(*entry.retry_after) / 1000000);
    else
      json.null();
    json.field("manual", entry.manual).field("active", entry.locked);
    json.field("queued", to_unix_micros(entry.created_at) / 1000000).end_object();
  }
  return json.end_array().take();
}

std::string list_text(const std::vector<store::QueueEntry>& entries, const store::Directory& directory) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& entry : entries) {
    const std::string due = entry.locked ? "active" : entry.retry_after ? to_iso8601(*entry.retry_after, 0) : "now";
    rows.push_back({server_path(directory, entry.server_id), std::to_string(entry.message_id), entry.domain,
                    std::to_string(entry.attempts), due, to_iso8601(entry.created_at, 0)});
  }
  return table({"SERVER", "MESSAGE", "DOMAIN", "ATTEMPTS", "DUE", "QUEUED"}, rows);
}

int list(Call& call, const Options& options) {
  auto& store = call.installation->store;
  const auto directory = store.directory();
  const auto filter = filter_of(options, *directory);
  if (!filter) return call.fail(filter.error());
  const auto entries = store.queue(*filter);
  call.json ? call.line(list_json(entries, *directory)) : call.print(list_text(entries, *directory));
  return kDone;
}

int stats(Call& call) {
  const auto numbers = call.installation->store.queue_numbers();
  const std::optional<double> oldest =
      numbers.oldest_ready ? std::optional(to_unix_seconds(system_now()) - to_unix_seconds(*numbers.oldest_ready))
                           : std::nullopt;
  if (call.json) {
    JsonWriter json;
    json.begin_object()
        .field("ready", numbers.ready)
        .field("deferred", numbers.deferred)
        .field("active", numbers.active);
    json.field("held", numbers.held).field("oldest_ready_seconds", oldest).end_object();
    call.line(json.text());
    return kDone;
  }
  call.print(table({"READY", "DEFERRED", "ACTIVE", "HELD", "OLDEST READY"},
                   {{std::to_string(numbers.ready), std::to_string(numbers.deferred), std::to_string(numbers.active),
                     std::to_string(numbers.held), oldest ? fmt::format("{:.0f} s", *oldest) : "-"}}));
  return kDone;
}

int retry(Call& call, const Options& options) {
  auto& store = call.installation->store;
  const auto filter = filter_of(options, *store.directory());
  if (!filter) return call.fail(filter.error());
  const auto count = store.queue_retry_now(*filter);
  const auto requests = options.all ? store.webhook_queue()->make_all_due() : 0;
  if (call.installation->worker) call.installation->worker->wake();
  if (call.json)
    call.line(fmt::format(R"({{"due":{},"webhook_requests":{}}})", count, requests));
  else
    call.line(fmt::format("{} message(s) made due.{}", count,
                          requests > 0 ? fmt::format(" {} webhook request(s), too.", requests) : ""));
  return kDone;
}

int remove(Call& call, const Options& options) {
  auto& store = call.installation->store;
  if (!call.yes)
    return call.fail(kUsage, "This removes messages from the queue; they will not be sent. Repeat with --yes.");
  if (options.server.empty() && options.domain.empty() && options.older_than.empty() && !options.all) {
    return call.fail(kUsage, "Say which messages: --server, --domain, --older-than, or --all.");
  }
  const auto filter = filter_of(options, *store.directory());
  if (!filter) return call.fail(filter.error());
  const auto count = store.queue_delete(*filter);
  if (call.json)
    call.line(fmt::format(R"({{"removed":{}}})", count));
  else
    call.line(fmt::format("{} message(s) removed from the queue.", count));
  return kDone;
}

}  // namespace

void add_queue(CommandLine& line) {
  auto* queue = line.root().add_subcommand("queue", "What waits to be sent")->require_subcommand(1);
  const auto options = std::make_shared<Options>();
  const auto verb = [&](const char* name, const char* text, auto run) {
    auto* app = queue->add_subcommand(name, text);
    add_filter(app, options);
    line.add(app, Needs::Installation, [options, run](Call& call) { return run(call, *options); });
  };
  verb("list", "Show waiting messages, the one that is due first on top", list);
  verb("retry", "Make waiting messages due now", retry);
  verb("delete", "Remove waiting messages from the queue without sending them", remove);
  line.add(queue->add_subcommand("stats", "Count what waits"), Needs::Installation, stats);
}

}  // namespace posthaste::app
