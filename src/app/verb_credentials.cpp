// credential list|create|delete: SMTP passwords, API keys, networks that may send.
#include "app/change.h"
#include "manage/credentials.h"

namespace posthaste::app {

namespace {

struct Options {
  std::string server, type, name, key;
  bool hold = false, reveal = false;
};

// A network is no secret; of a key the first four characters tell which one it is.
std::string shown_key(const manage::CredentialFields& fields, bool reveal) {
  std::string key = fields.key.value_or("");
  if (reveal || fields.type.value_or("") == "SMTP-IP") return key;
  return key.substr(0, 4) + "...";
}

void write_json(JsonWriter& json, const manage::Credential& credential, const std::string& key) {
  const auto& fields = credential.fields;
  json.begin_object().field("id", credential.id).field("uuid", credential.uuid).field("type", fields.type.value_or(""));
  json.field("name", fields.name.value_or(""))
      .field("key", key)
      .field("hold", fields.hold.value_or(false))
      .end_object();
}

int list(Call& call, const Options& options) {
  const auto directory = call.installation->store.directory();
  const auto server = find_server(*directory, options.server);
  if (!server) return call.fail(server.error());
  const auto credentials = manage::in_read(
      context_of(call), [&](manage::Work& work) { return manage::credentials_of(work, (*server)->id); });
  JsonWriter json;
  json.begin_array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& credential : credentials) {
    const std::string key = shown_key(credential.fields, options.reveal);
    write_json(json, credential, key);
    rows.push_back({std::to_string(credential.id), credential.fields.type.value_or(""),
                    credential.fields.name.value_or(""), key, credential.fields.hold.value_or(false) ? "hold" : ""});
  }
  call.json ? call.line(json.end_array().text()) : call.print(table({"ID", "TYPE", "NAME", "KEY", ""}, rows));
  return kDone;
}

int show(Call& call, const Options& options) {
  const auto directory = call.installation->store.directory();
  const auto server = find_server(*directory, options.server);
  if (!server) return call.fail(server.error());
  const auto found = manage::in_read(context_of(call), [&](manage::Work& work) {
    return manage::find_credential(work, (*server)->id, options.type, options.name);
  });
  if (!found) {
    return call.fail(kNotFound,
                     fmt::format("{} has no {} credential {}.", directory->path(**server), options.type, options.name));
  }
  const std::string key = shown_key(found->fields, options.reveal);
  if (call.json) {
    JsonWriter json;
    write_json(json, *found, key);
    call.line(json.text());
    return kDone;
  }
  call.print(table({"FIELD", "VALUE"}, {{"server", directory->path(**server)},
                                        {"type", options.type},
                                        {"name", options.name},
                                        {"key", key},
                                        {"hold", found->fields.hold.value_or(false) ? "yes" : "no"}}));
  return kDone;
}

int create(Call& call, const Options& options) {
  const auto directory = call.installation->store.directory();
  const auto server = find_server(*directory, options.server);
  if (!server) return call.fail(server.error());
  const auto made = manage::in_change(context_of(call), [&](manage::Work& work) {
    manage::CredentialFields fields;
    fields.type = options.type;
    fields.name = options.name;
    fields.hold = options.hold;
    if (!options.key.empty()) fields.key = options.key;
    return manage::create_credential(work, (*server)->id, fields);
  });
  if (!made) return refuse(call, made.error());
  if (call.json) {
    JsonWriter json;
    write_json(json, *made, made->fields.key.value_or(""));
    call.line(json.text());
  } else {
    call.line(made->fields.key.value_or(""));
  }
  return kDone;
}

int remove(Call& call, const Options& options) {
  const auto directory = call.installation->store.directory();
  const auto server = find_server(*directory, options.server);
  if (!server) return call.fail(server.error());
  if (!confirmed(call, fmt::format("This deletes the {} credential {}.", options.type, options.name))) return kUsage;
  const auto done = manage::in_change(context_of(call), [&](manage::Work& work) -> Result<> {
    const auto found = manage::find_credential(work, (*server)->id, options.type, options.name);
    if (!found)
      return fail(ErrorKind::NotFound,
                  fmt::format("{} has no {} credential {}.", directory->path(**server), options.type, options.name));
    return manage::delete_credential(work, found->id);
  });
  return done ? kDone : refuse(call, done.error());
}

}  // namespace

void add_credentials(CommandLine& line) {
  const auto options = std::make_shared<Options>();
  auto* credential = line.root().add_subcommand("credential", "What applications sign in with")->require_subcommand(1);
  const auto verb = [&](const char* name, const char* text, auto run) {
    auto* app = credential->add_subcommand(name, text);
    app->add_option("SERVER", options->server, "Mail server: ORG/SERVER, id or UUID")->required();
    line.add(app, Needs::Installation, [options, run](Call& call) { return run(call, *options); });
    return app;
  };
  const auto add_which = [&](CLI::App* app) {
    app->add_option("--type", options->type, "SMTP, API or SMTP-IP")
        ->required()
        ->check(CLI::IsMember({"SMTP", "API", "SMTP-IP"}));
    app->add_option("--name", options->name, "Its name")->required();
  };

  verb("list", "Show a mail server's credentials", list)->add_flag("--reveal", options->reveal, "Show the whole keys");
  auto* show_app = verb("show", "Show one credential", show);
  add_which(show_app);
  show_app->add_flag("--reveal", options->reveal, "Show the whole key");
  auto* create_app = verb("create", "Create a credential and print its key", create);
  add_which(create_app);
  create_app->add_option("--key", options->key, "SMTP-IP: address or network (10.0.0.0/8); otherwise drawn at random");
  create_app->add_flag("--hold", options->hold, "Hold all mail that is sent with it");
  add_which(verb("delete", "Delete a credential", remove));
}

}  // namespace posthaste::app
