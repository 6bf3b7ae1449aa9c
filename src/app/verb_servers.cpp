// server list|create|show|suspend|unsuspend|delete: mail servers, the tenants.
#include "app/change.h"
#include "manage/organizations.h"
#include "manage/servers.h"

namespace posthaste::app {

namespace {

struct Options {
  std::string server, organization, name, permalink, mode = "Live", reason;
};

std::string status_of(const store::Directory& directory, const store::Server& server) {
  return directory.suspended(server) ? "Suspended" : server.mode;
}

void write_json(JsonWriter& json, const store::Directory& directory, const store::Server& server) {
  const auto* organization = directory.organization(server.organization_id);
  json.begin_object().field("id", server.id).field("uuid", server.uuid);
  json.field("organization", organization ? organization->permalink : "").field("permalink", server.permalink);
  json.field("name", server.name).field("mode", server.mode).field("token", server.token);
  json.field("status", status_of(directory, server)).field("send_limit", server.send_limit).end_object();
}

int list(Call& call, const Options& options) {
  const auto directory = call.installation->store.directory();
  JsonWriter json;
  json.begin_array();
  std::vector<std::vector<std::string>> rows;
  for (const auto* server : directory->servers()) {
    const auto* organization = directory->organization(server->organization_id);
    if (!options.organization.empty() && (!organization || organization->permalink != options.organization)) continue;
    write_json(json, *directory, *server);
    rows.push_back({directory->path(*server), std::to_string(server->id), server->name, status_of(*directory, *server),
                    server->token});
  }
  call.json ? call.line(json.end_array().text()) : call.print(table({"SERVER", "ID", "NAME", "STATUS", "TOKEN"}, rows));
  return kDone;
}

int show(Call& call, const Options& options) {
  const auto directory = call.installation->store.directory();
  const auto server = find_server(*directory, options.server);
  if (!server) return call.fail(server.error());
  if (call.json) {
    JsonWriter json;
    write_json(json, *directory, **server);
    call.line(json.text());
    return kDone;
  }
  const auto& s = **server;
  call.print(
      table({"FIELD", "VALUE"}, {{"path", directory->path(s)},
                                 {"name", s.name},
                                 {"id", std::to_string(s.id)},
                                 {"uuid", s.uuid},
                                 {"status", status_of(*directory, s)},
                                 {"token", s.token},
                                 {"send limit", s.send_limit ? fmt::format("{} an hour", *s.send_limit) : "none"}}));
  return kDone;
}

int create(Call& call, const Options& options) {
  const auto made = manage::in_change(context_of(call), [&](manage::Work& work) -> Result<manage::Server> {
    const auto organization = manage::find_organization(work, options.organization);
    if (!organization)
      return fail(ErrorKind::NotFound,
                  fmt::format("There is no organization {}. `org list` shows them.", options.organization));
    manage::ServerFields fields;
    fields.name = options.name;
    fields.mode = options.mode;
    if (!options.permalink.empty()) fields.permalink = options.permalink;
    return manage::create_server(work, organization->id, fields);
  });
  if (!made) return refuse(call, made.error());
  const auto directory = call.installation->store.directory();
  const auto* server = directory->server(made->id);
  if (call.json) {
    JsonWriter json;
    write_json(json, *directory, *server);
    call.line(json.text());
  } else {
    call.line(directory->path(*server));
  }
  return kDone;
}

int suspend(Call& call, const Options& options, std::optional<std::string> reason) {
  const auto directory = call.installation->store.directory();
  const auto server = find_server(*directory, options.server);
  if (!server) return call.fail(server.error());
  const auto done = manage::in_change(
      context_of(call), [&](manage::Work& work) { return manage::suspend_server(work, (*server)->id, reason); });
  return done ? kDone : refuse(call, done.error());
}

int remove(Call& call, const Options& options) {
  const auto directory = call.installation->store.directory();
  const auto server = find_server(*directory, options.server);
  if (!server) return call.fail(server.error());
  if (!confirmed(call, fmt::format("This deletes the mail server {} with all its mail.", directory->path(**server))))
    return kUsage;
  const auto done = manage::in_change(context_of(call),
                                      [&](manage::Work& work) { return manage::delete_server(work, (*server)->id); });
  return done ? kDone : refuse(call, done.error());
}

}  // namespace

void add_servers(CommandLine& line) {
  const auto options = std::make_shared<Options>();
  auto* server =
      line.root().add_subcommand("server", "Mail servers: one for each application or tenant")->require_subcommand(1);
  const auto verb = [&](const char* name, const char* text, auto run) {
    auto* app = server->add_subcommand(name, text);
    app->add_option("SERVER", options->server, "ORG/SERVER, id or UUID")->required();
    line.add(app, Needs::Installation, [options, run](Call& call) { return run(call, *options); });
    return app;
  };

  auto* list_app = server->add_subcommand("list", "Show all mail servers");
  list_app->add_option("--org", options->organization, "Only those of this organization");
  line.add(list_app, Needs::Installation, [options](Call& call) { return list(call, *options); });

  auto* create_app = server->add_subcommand("create", "Create a mail server");
  create_app->add_option("ORG", options->organization, "The organization: permalink, id or UUID")->required();
  create_app->add_option("NAME", options->name, "Its name")->required();
  create_app->add_option("--mode", options->mode, "Live sends; Development holds everything")
      ->check(CLI::IsMember({"Live", "Development"}));
  create_app->add_option("--permalink", options->permalink, "Its name in paths (default: made from the name)");
  line.add(create_app, Needs::Installation, [options](Call& call) { return create(call, *options); });

  verb("show", "Show one mail server", show);
  verb("suspend", "Refuse and hold all its mail",
       [](Call& call, const Options& o) { return suspend(call, o, o.reason); })
      ->add_option("--reason", options->reason, "Why; its people see it")
      ->required();
  verb("unsuspend", "End a suspension", [](Call& call, const Options& o) { return suspend(call, o, std::nullopt); });
  verb("delete", "Delete a mail server and its mail", remove);
}

}  // namespace posthaste::app
