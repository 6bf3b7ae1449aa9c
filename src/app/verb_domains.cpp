// domain list|create|delete|verify|set|dns|check: domains that send, and the records to publish for them.
#include "app/change.h"
#include "app/shown.h"
#include "base/strings.h"
#include "manage/dns_check.h"
#include "manage/domains.h"
#include "manage/organizations.h"

namespace posthaste::app {

namespace {

constexpr std::size_t kShownValue = 60;  // of a record in the table of a check; `domain dns` has it whole

struct Options {
  std::string name, server, organization, format = "table", use_for_any;
  bool verified = false, scheduled = false;
};

std::string owner_path(const store::Directory& directory, store::OwnerType type, store::Id id) {
  if (type == store::OwnerType::Server) {
    const auto* server = directory.server(id);
    return server ? directory.path(*server) : "-";
  }
  const auto* organization = directory.organization(id);
  return organization ? organization->permalink : "-";
}

Error no_such_domain(std::string_view name) {
  return {ErrorKind::NotFound, fmt::format("There is no domain {}. `domain list` shows them.", name), {}};
}

int show(Call& call, const Options& options) {
  const auto directory = call.installation->store.directory();
  JsonWriter json;
  json.begin_array();
  bool found = false;
  for (const auto* domain : directory->domains()) {
    if (!iequals(domain->name, options.name)) continue;
    found = true;
    const auto state = [](const std::string& status, const std::string& error) {
      return status.empty()  ? std::string("never checked")
             : error.empty() ? status
                             : fmt::format("{}: {}", status, error);
    };
    const std::string owner = owner_path(*directory, domain->owner_type, domain->owner_id);
    const std::vector<std::vector<std::string>> rows = {
        {"domain", domain->name},
        {"owner", owner},
        {"uuid", domain->uuid},
        {"verified", domain->verified_at ? to_iso8601(*domain->verified_at, 0) : "no"},
        {"checked", domain->dns_checked_at ? to_iso8601(*domain->dns_checked_at, 0) : "never"},
        {"spf", state(domain->spf_status, domain->spf_error)},
        {"dkim", state(domain->dkim_status, domain->dkim_error)},
        {"mx", state(domain->mx_status, domain->mx_error)},
        {"return path", state(domain->return_path_status, domain->return_path_error)},
        {"sends for any address", domain->use_for_any ? "yes" : "no"},
    };
    json.begin_object();
    for (const auto& row : rows) json.field(replace_all(row[0], " ", "_"), row[1]);
    json.end_object();
    if (!call.json) call.print(table({"FIELD", "VALUE"}, rows));
  }
  if (!found) return call.fail(no_such_domain(options.name));
  if (call.json) call.line(json.end_array().text());
  return kDone;
}

int list(Call& call) {
  const auto directory = call.installation->store.directory();
  JsonWriter json;
  json.begin_array();
  std::vector<std::vector<std::string>> rows;
  const auto shown = [](const std::string& status) { return status.empty() ? "-" : status; };
  for (const auto* domain : directory->domains()) {
    const std::string owner = owner_path(*directory, domain->owner_type, domain->owner_id);
    json.begin_object()
        .field("id", domain->id)
        .field("uuid", domain->uuid)
        .field("name", domain->name)
        .field("owner", owner);
    json.field("verified", domain->verified_at.has_value()).field("spf_status", domain->spf_status);
    json.field("dkim_status", domain->dkim_status).field("mx_status", domain->mx_status);
    json.field("return_path_status", domain->return_path_status).end_object();
    rows.push_back({domain->name, owner, domain->verified_at ? "yes" : "no", shown(domain->spf_status),
                    shown(domain->dkim_status), shown(domain->mx_status), shown(domain->return_path_status)});
  }
  call.json ? call.line(json.end_array().text())
            : call.print(table({"DOMAIN", "OWNER", "VERIFIED", "SPF", "DKIM", "MX", "RETURN PATH"}, rows));
  return kDone;
}

void record_json(JsonWriter& json, const manage::DnsRecord& record) {
  json.begin_object().field("purpose", record.purpose).field("name", record.name).field("type", record.type);
  json.field("value", record.value);
  if (record.type == "MX") json.field("priority", record.priority);
  json.field("required", record.required);
}

std::string shown_value(const manage::DnsRecord& record) {
  return record.type == "MX" ? fmt::format("{} {}", record.priority, record.value) : record.value;
}

void print_records(Call& call, const std::vector<manage::DnsRecord>& records, const std::string& format) {
  if (call.json || format == "json") {
    JsonWriter json;
    json.begin_array();
    for (const auto& record : records) {
      record_json(json, record);
      json.end_object();
    }
    call.line(json.end_array().text());
    return;
  }
  if (format == "zone") {
    for (const auto& record : records) call.line(manage::zone_line(record));
    return;
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& record : records) {
    rows.push_back(
        {record.purpose, record.required ? "required" : "optional", record.type, record.name, shown_value(record)});
  }
  call.print(table({"PURPOSE", "", "TYPE", "NAME", "VALUE"}, rows));
}

int dns(Call& call, const Options& options) {
  const auto found = manage::domains_to_check(context_of(call), options.name);
  if (found.empty()) return call.fail(no_such_domain(options.name));
  for (const auto& domain : found) print_records(call, manage::dns_records(*call.config, domain.names), options.format);
  return kDone;
}

void write_check(Call& call, JsonWriter& json, const manage::DomainCheck& check, const std::string& owner) {
  json.begin_object()
      .field("domain", check.domain.names.name)
      .field("owner", owner)
      .field("ok", check.ok())
      .key("records")
      .begin_array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& checked : check.records) {
    record_json(json, checked.record);
    json.field("status", checked.status())
        .field("error", check.error(checked.record.purpose))
        .key("found")
        .begin_array();
    for (const auto& value : checked.found) json.value(value);
    json.end_array().end_object();
    rows.push_back({checked.record.purpose, std::string(checked.status()), checked.record.type, checked.record.name,
                    shown(shown_value(checked.record), kShownValue),
                    checked.found.empty() ? "-" : shown(join(checked.found, " | "), kShownValue)});
  }
  json.end_array().end_object();
  if (!call.json) call.print(table({"PURPOSE", "STATUS", "TYPE", "NAME", "EXPECTED", "FOUND"}, rows));
}

int check(Call& call, const Options& options) {
  auto& installation = *call.installation;
  auto domains = manage::domains_to_check(context_of(call), options.name);
  if (domains.empty()) return call.fail(no_such_domain(options.name));
  const auto directory = installation.store.directory();
  JsonWriter json;
  json.begin_array();
  bool ok = true, answered = true;
  for (auto& domain : domains) {
    const std::string owner = owner_path(*directory, domain.owner_type, domain.owner_id);
    const auto checked =
        installation.wait(manage::check_domain(installation.resolver, installation.config, std::move(domain)));
    manage::store_domain_check(context_of(call), checked);
    write_check(call, json, checked, owner);
    ok = ok && checked.ok();
    answered = answered && checked.answered();
  }
  if (call.json) call.line(json.end_array().text());
  if (!answered) return call.fail(kUnreachable, "No name server answered; the stored states stay as they were.");
  return ok ? kDone : kNegative;
}

Result<manage::Owner> owner_of(manage::Work& work, const store::Directory& directory, const Options& options) {
  if (!options.organization.empty()) {
    const auto organization = manage::find_organization(work, options.organization);
    if (!organization)
      return fail(ErrorKind::NotFound,
                  fmt::format("There is no organization {}. `org list` shows them.", options.organization));
    return manage::Owner{store::OwnerType::Organization, organization->id};
  }
  const auto server = find_server(directory, options.server);
  if (!server) return std::unexpected(server.error());
  return manage::Owner{store::OwnerType::Server, (*server)->id};
}

int create(Call& call, const Options& options) {
  const auto directory = call.installation->store.directory();
  const auto made = manage::in_change(context_of(call), [&](manage::Work& work) -> Result<manage::Domain> {
    const auto owner = owner_of(work, *directory, options);
    if (!owner) return std::unexpected(owner.error());
    manage::DomainFields fields;
    fields.name = manage::canonical_domain(options.name);
    if (options.verified) fields.verified_at = work.now();
    return manage::create_domain(work, *owner, fields);
  });
  if (!made) return refuse(call, made.error());
  const auto names = manage::domain_to_check(context_of(call), made->id)->names;
  if (!call.json) call.line(made->uuid);
  print_records(call, manage::dns_records(*call.config, names), options.format);
  return kDone;
}

// Runs `change` on the domain of this name; with several owners, --server or --org says whose.
int change_one(Call& call, const Options& options, const std::function<Result<>(manage::Work&, store::Id)>& change) {
  const auto directory = call.installation->store.directory();
  const auto done = manage::in_change(context_of(call), [&](manage::Work& work) -> Result<> {
    std::vector<manage::Domain> found = manage::domains_named(work, options.name);
    if (!options.server.empty() || !options.organization.empty()) {
      const auto owner = owner_of(work, *directory, options);
      if (!owner) return std::unexpected(owner.error());
      auto domain = manage::find_domain(work, *owner, options.name);
      found.clear();
      if (domain) found.push_back(std::move(*domain));
    }
    if (found.empty()) return std::unexpected(no_such_domain(options.name));
    if (found.size() > 1)
      return fail(ErrorKind::Conflict,
                  fmt::format("{} belongs to {} owners. Say whose: --server or --org.", options.name, found.size()));
    return change(work, found.front().id);
  });
  return done ? kDone : refuse(call, done.error());
}

int remove(Call& call, const Options& options) {
  if (!confirmed(call, fmt::format("This deletes the domain {} with its routes and tracking domains.", options.name)))
    return kUsage;
  return change_one(call, options, [](manage::Work& work, store::Id id) { return manage::delete_domain(work, id); });
}

// Looks for the record that proves ownership, and marks the domain when it is there.
int verify(Call& call, const Options& options) {
  auto& installation = *call.installation;
  auto domains = manage::domains_to_check(context_of(call), options.name);
  if (domains.empty()) return call.fail(no_such_domain(options.name));
  bool all = true;
  for (auto& domain : domains) {
    if (domain.names.verified) continue;
    const store::Id id = domain.id;
    const auto checked =
        installation.wait(manage::check_domain(installation.resolver, installation.config, std::move(domain)));
    if (!checked.ownership_proven()) {
      all = false;
      continue;
    }
    const auto done =
        manage::in_change(context_of(call), [&](manage::Work& work) { return manage::verify_domain(work, id); });
    if (!done) return refuse(call, done.error());
  }
  if (all) return kDone;
  call.note(fmt::format("{} is not verified: the record that `domain dns {}` shows was not found.", options.name,
                        options.name));
  return kNegative;
}

int set(Call& call, const Options& options) {
  return change_one(call, options, [&](manage::Work& work, store::Id id) -> Result<> {
    manage::DomainFields fields;
    fields.use_for_any = options.use_for_any == "on";
    const auto updated = manage::update_domain(work, id, fields);
    if (!updated) return std::unexpected(updated.error());
    return {};
  });
}

}  // namespace

void add_domains(CommandLine& line) {
  const auto options = std::make_shared<Options>();
  auto* domain =
      line.root().add_subcommand("domain", "Domains that send, and their DNS records")->require_subcommand(1);
  const auto verb = [&](const char* name, const char* text, auto run) {
    auto* app = domain->add_subcommand(name, text);
    app->add_option("DOMAIN", options->name, "Name of the domain")->required();
    line.add(app, Needs::Installation, [options, run](Call& call) { return run(call, *options); });
    return app;
  };
  const auto add_owner = [&](CLI::App* app) {
    auto* server = app->add_option("--server", options->server, "Mail server that owns it: ORG/SERVER, id or UUID");
    app->add_option("--org", options->organization, "Organization that owns it: all its mail servers may use it")
        ->excludes(server);
  };

  line.add(domain->add_subcommand("list", "Show all domains and the state of their records"), Needs::Installation,
           list);
  auto* create_app = verb("create", "Add a domain and print the records to publish", create);
  add_owner(create_app);
  create_app->add_flag("--verified", options->verified, "Do not ask for proof of ownership");
  verb("show", "Show one domain and the state of its records", show);
  verb("dns", "Print the records to publish", dns)
      ->add_option("--format", options->format, "table, zone or json")
      ->check(CLI::IsMember({"table", "zone", "json"}));
  verb("check", "Look the records up and keep what was found; status 7 when required ones are not right", check)
      ->add_flag("--scheduled", options->scheduled, "As the hourly check does it");
  add_owner(verb("verify", "Mark a domain as owned when its verification record is there", verify));
  auto* set_app = verb("set", "Change a setting of a domain", set);
  add_owner(set_app);
  set_app
      ->add_option("--use-for-any", options->use_for_any,
                   "on: its mail server may send from any address, signed for this domain")
      ->required()
      ->check(CLI::IsMember({"on", "off"}));
  add_owner(verb("delete", "Delete a domain", remove));
}

}  // namespace posthaste::app
