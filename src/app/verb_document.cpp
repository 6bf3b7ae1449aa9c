// export, plan, apply: the installation as a document.
#include "app/change.h"
#include "app/new_track_domains.h"
#include "base/strings.h"
#include "manage/document.h"

namespace posthaste::app {

namespace {

struct Options {
  std::string file, organization;
  bool prune = false, with_secrets = false;
};

// Errors of a document have a line and a path each; they are all told at once.
int refuse_document(Call& call, const Error& error) {
  for (const auto& message : manage::error_messages(error)) call.note(message);
  return error.kind == ErrorKind::Unavailable ? kUnreachable : kRefused;
}

int plan(Call& call, const Options& options) {
  const auto document = manage::read_document(call.input);
  if (!document) return refuse_document(call, document.error());
  const auto changes = manage::plan_document(context_of(call), *document, options.prune);
  if (!changes) return refuse_document(call, changes.error());
  JsonWriter json;
  json.begin_array();
  for (const auto& change : *changes) {
    json.begin_object().field("action", change.action).field("kind", change.kind).field("name", change.name);
    json.field("details", change.details).end_object();
    if (!call.json) call.line(change.text());
  }
  if (call.json)
    call.line(json.end_array().text());
  else if (changes->empty())
    call.line("Nothing would change.");
  return changes->empty() ? kDone : kNegative;
}

int apply(Call& call, const Options& options) {
  const auto document = manage::read_document(call.input);
  if (!document) return refuse_document(call, document.error());
  const auto applied = manage::apply_document(context_of(call), *document, options.prune);
  if (!applied) return refuse_document(call, applied.error());
  check_new_track_domains(call, applied->new_track_domains);
  if (call.json) {
    call.line(manage::to_json(applied->document));
    return kDone;
  }
  for (const auto& change : applied->changes) call.line(change.text());
  if (applied->changes.empty()) call.line("Nothing to change.");
  return kDone;
}

int write(Call& call, const Options& options) {
  const auto tree = manage::export_document(context_of(call), {options.organization, options.with_secrets});
  if (!tree) return call.fail(tree.error());
  call.json ? call.line(manage::to_json(*tree)) : call.print(manage::to_yaml(*tree));
  return kDone;
}

}  // namespace

void add_document(CommandLine& line) {
  const auto options = std::make_shared<Options>();
  const CommandLine::InputPath input = [options]() -> std::optional<std::string> { return options->file; };
  const auto reading = [&](const char* name, const char* text, auto run) {
    auto* app = line.root().add_subcommand(name, text);
    app->add_option("FILE", options->file, "YAML or JSON; - for standard input")->required();
    app->add_flag("--prune", options->prune, "Also remove what the document's lists do not name");
    line.add(app, Needs::Installation, [options, run](Call& call) { return run(call, *options); }, input);
  };
  reading("plan", "Say what `apply` would change; status 7 when that is something", plan);
  reading("apply",
          "Make the installation contain what a document says; with --json, prints it with generated values filled in",
          apply);

  auto* app = line.root().add_subcommand("export", "Print the installation as a document that `apply` takes");
  app->add_option("--org", options->organization, "Only this organization: permalink, id or UUID");
  app->add_flag("--with-secrets", options->with_secrets, "With keys, tokens and digests");
  line.add(app, Needs::Installation, [options](Call& call) { return write(call, *options); });
}

}  // namespace posthaste::app
