// org list|create|delete
#include "app/change.h"
#include "base/strings.h"
#include "manage/organizations.h"

namespace posthaste::app {

namespace {

struct Options {
  std::string name, permalink;
};

std::string status_of(const manage::Organization& organization) {
  return organization.fields.suspended_at.has_value() ? "Suspended" : "Active";
}

void write_json(JsonWriter& json, const manage::Organization& organization) {
  const auto& fields = organization.fields;
  json.begin_object().field("id", organization.id).field("uuid", organization.uuid);
  json.field("permalink", fields.permalink.value_or("")).field("name", fields.name.value_or(""));
  json.field("status", status_of(organization)).end_object();
}

int show(Call& call, const Options& options) {
  const auto found = manage::in_read(context_of(call),
                                     [&](manage::Work& work) { return manage::find_organization(work, options.name); });
  if (!found)
    return call.fail(kNotFound, fmt::format("There is no organization {}. `org list` shows them.", options.name));
  if (call.json) {
    JsonWriter json;
    write_json(json, *found);
    call.line(json.text());
    return kDone;
  }
  std::vector<std::string> servers;
  const auto directory = call.installation->store.directory();
  for (const auto* server : directory->servers()) {
    if (server->organization_id == found->id) servers.push_back(directory->path(*server));
  }
  call.print(table({"FIELD", "VALUE"}, {{"permalink", found->fields.permalink.value_or("")},
                                        {"name", found->fields.name.value_or("")},
                                        {"id", std::to_string(found->id)},
                                        {"uuid", found->uuid},
                                        {"status", status_of(*found)},
                                        {"mail servers", join(servers, " ")}}));
  return kDone;
}

int list(Call& call) {
  const auto organizations =
      manage::in_read(context_of(call), [](manage::Work& work) { return manage::all_organizations(work); });
  JsonWriter json;
  json.begin_array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& organization : organizations) {
    write_json(json, organization);
    rows.push_back(
        {organization.fields.permalink.value_or(""), organization.fields.name.value_or(""), status_of(organization)});
  }
  call.json ? call.line(json.end_array().text()) : call.print(table({"ORG", "NAME", "STATUS"}, rows));
  return kDone;
}

int create(Call& call, const Options& options) {
  const auto made = manage::in_change(context_of(call), [&](manage::Work& work) {
    manage::OrganizationFields fields;
    fields.name = options.name;
    if (!options.permalink.empty()) fields.permalink = options.permalink;
    return manage::create_organization(work, fields);
  });
  if (!made) return refuse(call, made.error());
  const std::string permalink = made->fields.permalink.value_or("");
  call.line(call.json ? fmt::format(R"({{"id":{},"uuid":"{}","permalink":"{}"}})", made->id, made->uuid, permalink)
                      : permalink);
  return kDone;
}

int remove(Call& call, const Options& options) {
  if (!confirmed(call,
                 fmt::format("This deletes the organization {} with all its mail servers and mail.", options.name)))
    return kUsage;
  const auto done = manage::in_change(context_of(call), [&](manage::Work& work) -> Result<> {
    const auto found = manage::find_organization(work, options.name);
    if (!found)
      return fail(ErrorKind::NotFound,
                  fmt::format("There is no organization {}. `org list` shows them.", options.name));
    return manage::delete_organization(work, found->id);
  });
  return done ? kDone : refuse(call, done.error());
}

}  // namespace

void add_organizations(CommandLine& line) {
  const auto options = std::make_shared<Options>();
  auto* org = line.root().add_subcommand("org", "Organizations, which own mail servers")->require_subcommand(1);
  line.add(org->add_subcommand("list", "Show all organizations"), Needs::Installation, list);

  auto* show_app = org->add_subcommand("show", "Show one organization");
  show_app->add_option("ORG", options->name, "Permalink, id or UUID")->required();
  line.add(show_app, Needs::Installation, [options](Call& call) { return show(call, *options); });

  auto* create_app = org->add_subcommand("create", "Create an organization");
  create_app->add_option("NAME", options->name, "Its name")->required();
  create_app->add_option("--permalink", options->permalink, "Its name in paths (default: made from the name)");
  line.add(create_app, Needs::Installation, [options](Call& call) { return create(call, *options); });

  auto* delete_app = org->add_subcommand("delete", "Delete an organization");
  delete_app->add_option("ORG", options->name, "Permalink, id or UUID")->required();
  line.add(delete_app, Needs::Installation, [options](Call& call) { return remove(call, *options); });
}

}  // namespace posthaste::app
