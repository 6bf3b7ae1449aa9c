#include "app/usage.h"

#include <fmt/format.h>

#include "base/similar.h"
#include "base/strings.h"
#include "base/version.h"

namespace posthaste::app {

namespace {

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands([](const CLI::App*) { return true; }))
    if (!command->get_group().empty()) names.push_back(command->get_name());
  return names;
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* at = &app; at; at = at->get_parent())
    for (const auto* option : at->get_options())
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

const CLI::Option* find_option(const CLI::App& app, const std::string& name) {
  for (const CLI::App* at = &app; at; at = at->get_parent())
    if (const auto* option = at->get_option_no_throw(name)) return option;
  return nullptr;
}

const CLI::App* find_command(const CLI::App& app, const std::string& name) {
  const auto found = app.get_subcommands([&](const CLI::App* command) { return command->get_name() == name; });
  return found.empty() ? nullptr : found.front();
}

std::string did_you_mean(const std::string& prefix, const std::string& meant) {
  return meant.empty() ? std::string() : fmt::format(" Did you mean `{}{}`?", prefix, meant);
}

std::string unknown_option(const CLI::App& app, const std::string& path, const std::string& name) {
  return fmt::format("`{}` has no option {}.{}\n`{} --help` lists them.\n", path, name,
                     did_you_mean("", nearest(name, option_names(app))), path);
}

std::string unknown_command(const CLI::App& app, const std::string& path, const std::string& word) {
  const auto names = command_names(app);
  const std::string hint = did_you_mean(path + " ", nearest(word, names));
  if (!app.get_parent()) return fmt::format("There is no command {}.{}\n`{} --help` lists all.\n", word, hint, path);
  return fmt::format("`{}` has no command {}.{}\nIt takes {}.\n", path, word, hint, join(names, ", "));
}

}  // namespace

std::string explain_usage(const CLI::App& root, const std::vector<std::string>& words, const CLI::ParseError& error) {
  const CLI::App* app = &root;
  std::string path = root.get_name();
  for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
    const std::string& word = words[i];
    if (word.size() > 1 && word.starts_with('-')) {
      const std::string name = word.substr(0, word.find('='));
      const auto* option = find_option(*app, name);
      if (!option) return unknown_option(*app, path, name);
      if (option->get_items_expected_max() > 0 && name == word) ++i;  // its value
      continue;
    }
    if (command_names(*app).empty()) continue;  // an argument
    const auto* command = find_command(*app, word);
    if (!command) return unknown_command(*app, path, word);
    app = command;
    path += " " + word;
  }
  if (const auto names = command_names(*app); !names.empty())
    return app == &root ? short_help() : fmt::format("Say which: `{}` takes {}.\n", path, join(names, ", "));
  return fmt::format("{}\n`{} --help` shows how it is used.\n", error.what(), path);
}

std::string short_help() {
  return fmt::format(R"(Posthaste {}: a mail delivery platform.

  posthaste bootstrap HOSTNAME [DIR]           write the configuration and keys of a new installation
  posthaste --config FILE config check         say what is wrong with a configuration
  posthaste --config FILE initialize           make its databases
  posthaste --config FILE make-user            make its first administrator
  posthaste --config FILE run                  run it
  posthaste --config FILE queue list           show what waits
  posthaste --config FILE messages list SERVER show what was sent, and what became of it

`posthaste --help` lists all commands, `posthaste COMMAND --help` explains one.
)",
                     kVersion);
}

}  // namespace posthaste::app
