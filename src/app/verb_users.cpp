// user list|create|set-password|delete and make-user: the people who sign in.
#include <termios.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "app/change.h"
#include "base/strings.h"
#include "manage/users.h"

namespace posthaste::app {

namespace {

struct Options {
  std::string email, first_name, last_name, password_file;
  bool admin = false, only_admins = false, password_stdin = false, no_password = false, update = false;
};

// The first line of what was read for --password-stdin or --password-file.
std::optional<std::string> given_password(const Call& call, const Options& options) {
  if (!options.password_stdin && options.password_file.empty()) return std::nullopt;
  std::string_view text = call.input;
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return std::string(text);
}

void write_json(JsonWriter& json, const manage::User& user) {
  const auto& fields = user.fields;
  json.begin_object().field("id", user.id).field("uuid", user.uuid);
  json.field("email_address", fields.email_address.value_or(""));
  json.field("first_name", fields.first_name.value_or("")).field("last_name", fields.last_name.value_or(""));
  json.field("time_zone", fields.time_zone.value_or("UTC")).field("admin", fields.admin.value_or(false)).end_object();
}

int show(Call& call, const Options& options) {
  const auto user =
      manage::in_read(context_of(call), [&](manage::Work& work) { return manage::find_user(work, options.email); });
  if (!user) return call.fail(kNotFound, fmt::format("There is no user {}. `user list` shows them.", options.email));
  if (call.json) {
    JsonWriter json;
    write_json(json, *user);
    call.line(json.text());
    return kDone;
  }
  const auto& fields = user->fields;
  call.print(table({"FIELD", "VALUE"}, {{"address", fields.email_address.value_or("")},
                                        {"name", fields.first_name.value_or("") + ' ' + fields.last_name.value_or("")},
                                        {"uuid", user->uuid},
                                        {"role", fields.admin.value_or(false) ? "admin" : "member"},
                                        {"time zone", fields.time_zone.value_or("UTC")},
                                        {"password", fields.password_digest.has_value() ? "set" : "none"}}));
  return kDone;
}

int list(Call& call, const Options& options) {
  const auto users = manage::in_read(context_of(call), [](manage::Work& work) { return manage::all_users(work); });
  JsonWriter json;
  json.begin_array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& user : users) {
    const auto& fields = user.fields;
    const bool admin = fields.admin.value_or(false);
    if (options.only_admins && !admin) continue;
    write_json(json, user);
    rows.push_back({fields.email_address.value_or(""),
                    fields.first_name.value_or("") + ' ' + fields.last_name.value_or(""), admin ? "admin" : "member"});
  }
  call.json ? call.line(json.end_array().text()) : call.print(table({"EMAIL", "NAME", "ROLE"}, rows));
  return kDone;
}

Result<manage::User> save(manage::Work& work, const Options& options, const std::optional<std::string>& password) {
  manage::UserFields fields;
  fields.email_address = options.email;
  fields.first_name = options.first_name;
  fields.last_name = options.last_name;
  if (options.admin) fields.admin = true;
  if (password) fields.password = *password;
  const auto known = options.update ? manage::find_user(work, options.email) : std::nullopt;
  if (known) return manage::update_user(work, known->id, fields);
  if (options.no_password) fields.password = std::nullopt;
  fields.email_verified_at = work.now();
  return manage::create_user(work, fields);
}

int create(Call& call, const Options& options) {
  const auto password = given_password(call, options);
  if (!password && !options.no_password) {
    return call.fail(
        kUsage,
        "Give a password: --password-stdin, --password-file PATH, or --no-password for a user who cannot sign in yet.");
  }
  const auto user =
      manage::in_change(context_of(call), [&](manage::Work& work) { return save(work, options, password); });
  if (!user) return refuse(call, user.error());
  call.line(call.json ? fmt::format(R"({{"id":{},"uuid":"{}"}})", user->id, user->uuid) : user->uuid);
  return kDone;
}

int set_password(Call& call, const Options& options) {
  const auto password = given_password(call, options);
  if (!password) return call.fail(kUsage, "Give the password: --password-stdin or --password-file PATH.");
  const auto done = manage::in_change(context_of(call), [&](manage::Work& work) -> Result<manage::User> {
    const auto user = manage::find_user(work, options.email);
    if (!user) return fail(ErrorKind::NotFound, fmt::format("There is no user {}.", options.email));
    manage::UserFields fields;
    fields.password = *password;
    return manage::update_user(work, user->id, fields);
  });
  if (!done) return refuse(call, done.error());
  if (!call.json) call.line("The password is set.");
  return kDone;
}

int remove(Call& call, const Options& options) {
  if (!confirmed(call, fmt::format("This deletes the user {}.", options.email))) return kUsage;
  const auto done = manage::in_change(context_of(call), [&](manage::Work& work) -> Result<> {
    const auto user = manage::find_user(work, options.email);
    if (!user) return fail(ErrorKind::NotFound, fmt::format("There is no user {}.", options.email));
    return manage::delete_user(work, user->id);
  });
  if (!done) return refuse(call, done.error());
  return kDone;
}

std::string ask(std::string_view label, bool secret) {
  fmt::print(stderr, "{:<24}: ", label);
  termios before{};
  const bool hide = secret && tcgetattr(STDIN_FILENO, &before) == 0;
  if (hide) {
    termios silent = before;
    silent.c_lflag &= ~tcflag_t(ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &silent);
  }
  std::string line;
  std::getline(std::cin, line);
  if (hide) {
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    fmt::print(stderr, "\n");
  }
  return std::string(trim(line));
}

// Postal's prompts, or its answers from the environment, become the words of `user create`, which may then run in the
// instance that has the installation open.
int make_user(Call& call, Options options) {
  const auto value = [](const char* name) {
    const char* found = std::getenv(name);
    return found ? std::string(found) : std::string();
  };
  if (options.email.empty()) options.email = value("POSTAL_INITIAL_USER_EMAIL");
  if (options.first_name.empty()) options.first_name = value("POSTAL_INITIAL_USER_FIRST_NAME");
  if (options.last_name.empty()) options.last_name = value("POSTAL_INITIAL_USER_LAST_NAME");
  std::string password = value("POSTAL_INITIAL_USER_PASSWORD");
  if (options.email.empty() && !call.terminal) {
    return call.fail(kUsage,
                     "There is no terminal to ask at. Set POSTAL_INITIAL_USER_EMAIL, _FIRST_NAME, _LAST_NAME and "
                     "_PASSWORD, or use `user create --admin`.");
  }
  if (options.email.empty()) {
    fmt::print(stderr, "Posthaste User Creator\nEnter the information required to create a new administrator.\n");
    options.email = ask("E-Mail Address", false);
    options.first_name = ask("First Name", false);
    options.last_name = ask("Last Name", false);
    password = ask("Initial Password", true);
  }
  CommandLine line;
  std::vector<std::string> words{
      "user",         "create",           "--admin",     "--email",         options.email,
      "--first-name", options.first_name, "--last-name", options.last_name, "--password-stdin"};
  if (call.load.path) words.insert(words.begin(), {"--config", *call.load.path});
  call.input = password;
  call.input_given = true;
  return line.execute(words, call, nullptr);
}

void add_names(CLI::App* app, const std::shared_ptr<Options>& options, bool required) {
  for (auto [name, into, text] : {std::tuple{"--email", &options->email, "Address to sign in with"},
                                  {"--first-name", &options->first_name, "First name"},
                                  {"--last-name", &options->last_name, "Last name"}}) {
    auto* option = app->add_option(name, *into, text);
    if (required) option->required();
  }
}

CommandLine::InputPath password_input(const std::shared_ptr<Options>& options) {
  return [options]() -> std::optional<std::string> {
    if (options->password_stdin) return "-";
    if (!options->password_file.empty()) return options->password_file;
    return std::nullopt;
  };
}

void add_password(CLI::App* app, const std::shared_ptr<Options>& options) {
  app->add_flag("--password-stdin", options->password_stdin, "Read the password from the first line of standard input");
  app->add_option("--password-file", options->password_file, "Read the password from the first line of this file");
}

}  // namespace

void add_users(CommandLine& line) {
  const auto options = std::make_shared<Options>();
  auto* user = line.root().add_subcommand("user", "People who sign in")->require_subcommand(1);

  auto* list_app = user->add_subcommand("list", "Show all users");
  list_app->add_flag("--admins", options->only_admins, "Only administrators");
  line.add(list_app, Needs::Installation, [options](Call& call) { return list(call, *options); });

  auto* show_app = user->add_subcommand("show", "Show one user");
  show_app->add_option("EMAIL", options->email, "The user's address")->required();
  line.add(show_app, Needs::Installation, [options](Call& call) { return show(call, *options); });

  auto* create_app = user->add_subcommand("create", "Create a user");
  add_names(create_app, options, true);
  add_password(create_app, options);
  create_app->add_flag("--admin", options->admin, "May see and change everything");
  create_app->add_flag("--no-password", options->no_password, "Without a password: cannot sign in until one is set");
  create_app->add_flag("--update", options->update, "Change the user if there is one with this address");
  line.add(
      create_app, Needs::Installation, [options](Call& call) { return create(call, *options); },
      password_input(options));

  auto* password_app = user->add_subcommand("set-password", "Set a user's password");
  password_app->add_option("EMAIL", options->email, "The user's address")->required();
  add_password(password_app, options);
  line.add(
      password_app, Needs::Installation, [options](Call& call) { return set_password(call, *options); },
      password_input(options));

  auto* delete_app = user->add_subcommand("delete", "Delete a user");
  delete_app->add_option("EMAIL", options->email, "The user's address")->required();
  line.add(delete_app, Needs::Installation, [options](Call& call) { return remove(call, *options); });

  auto* make_app = line.root().add_subcommand("make-user", "Create an administrator, asking for name and password");
  add_names(make_app, options, false);
  line.add(make_app, Needs::Nothing, [options](Call& call) { return make_user(call, *options); });
}

}  // namespace posthaste::app
