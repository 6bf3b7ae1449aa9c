#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>

#include "app/admin_socket.h"
#include "app/command.h"
#include "app/usage.h"
#include "base/log.h"
#include "base/strings.h"
#include "base/version.h"
#include "sql/sql.h"

namespace posthaste::app {

namespace {

int status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::NotFound:
      return kNotFound;
    case ErrorKind::Invalid:
    case ErrorKind::Conflict:
    case ErrorKind::Denied:
      return kRefused;
    case ErrorKind::Unavailable:
    case ErrorKind::Timeout:
    case ErrorKind::Closed:
      return kUnreachable;
    default:
      return kFailed;
  }
}

Result<std::string> read_input(const std::string& path) {
  if (path == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorKind::NotFound, fmt::format("{} cannot be read: {}.", path, std::strerror(errno)));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void write_all(std::FILE* file, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), file);
  std::fflush(file);
}

}  // namespace

int Call::fail(const Error& error) {
  note(error.cause.empty() ? error.text : fmt::format("{} ({})", error.text, error.cause));
  return status_of(error.kind);
}

int Call::fail(Exit status, std::string_view text) {
  note(text);
  return status;
}

CommandLine::CommandLine() : root_("Posthaste: a mail delivery platform", "posthaste") {
  root_.require_subcommand(1);
  root_.fallthrough();
  root_.add_option("--config", config_path_,
                   "Configuration file (default: POSTHASTE_CONFIG, POSTAL_CONFIG_FILE_PATH, "
                   "./config/postal/postal.yml, /config/postal.yml, /opt/postal/config/postal.yml, "
                   "/etc/posthaste/postal.yml)");
  root_.set_version_flag("--version", std::string(kVersion), "Print the version");
  root_.add_flag("--json", json_, "One JSON document on standard output and nothing else");
  root_.add_flag("--quiet", quiet_, "No progress and no warnings");
  root_.add_flag("--verbose", verbose_, "Say more");
  root_.add_flag("--no-color", no_color_, "No colours");
  root_.add_flag("--yes", yes_, "Do not ask before destructive changes");
  root_.footer(
      "Exit status: 0 done, 1 failed, 2 wrong usage, 3 configuration invalid, 4 not found, 5 refused, 6 not reachable, "
      "7 the answer is negative.");
  add_run(*this);
  add_setup(*this);
  add_configuration(*this);
  add_users(*this);
  add_organizations(*this);
  add_servers(*this);
  add_domains(*this);
  add_credentials(*this);
  add_document(*this);
  add_queue(*this);
  add_messages(*this);
  add_held(*this);
  add_test_send(*this);
  add_test_app_smtp(*this);
}

void CommandLine::add(CLI::App* app, Needs needs, Run run, InputPath input) {
  commands_.push_back({app, needs, std::move(run), std::move(input)});
}

const CommandLine::Command* CommandLine::chosen() const {
  const CLI::App* app = &root_;
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  const auto command = std::ranges::find(commands_, app, &Command::app);
  return command == commands_.end() ? nullptr : &*command;
}

int CommandLine::execute(const std::vector<std::string>& words, Call& call, Installation* installation) {
  try {
    root_.parse(std::vector<std::string>(words.rbegin(), words.rend()));  // CLI11 takes them last first
  } catch (const CLI::Success& asked) {                                   // --help, --version
    std::ostringstream out, err;
    root_.exit(asked, out, err);
    call.print(out.str());
    return kDone;
  } catch (const CLI::ParseError& error) {
    call.err += explain_usage(root_, words, error);
    return kUsage;
  }
  call.json = json_;
  call.quiet = quiet_;
  call.verbose = verbose_;
  call.yes = yes_;
  if (!config_path_.empty()) call.load.path = config_path_;

  const Command* command = chosen();
  if (!command) return call.fail(kUsage, short_help());
  try {
    if (command->needs == Needs::Nothing) return command->run(call);
    return run_with_installation(*command, words, call, installation);
  } catch (const sql::Failure& failure) {
    const bool gone = failure.kind() == sql::FailureKind::Unreachable;
    return call.fail(gone ? kUnreachable : kFailed, fmt::format("Database: {}", failure.what()));
  } catch (const std::exception& error) {
    return call.fail(kFailed, fmt::format("Internal error: {}", error.what()));
  }
}

int CommandLine::run_with_installation(const Command& command, const std::vector<std::string>& words, Call& call,
                                       Installation* installation) {
  if (installation) {
    call.config = &installation->config;
    call.installation = installation;
    return command.run(call);
  }
  auto loaded = config::load(call.load);
  if (!loaded) return call.fail(kConfiguration, join(loaded.error(), "\n"));
  if (!call.quiet) {
    for (const auto& notice : loaded->notices) call.note(notice);
    for (const auto& warning : loaded->warnings) call.note("warning: " + warning);
  }
  call.config = &loaded->config;
  if (const auto path = command.input && !call.input_given ? command.input() : std::nullopt) {
    if (auto input = read_input(*path))
      call.input = std::move(*input);
    else
      return call.fail(kUsage, input.error().text);
  }
  if (command.needs == Needs::Configuration) return command.run(call);

  auto answer = ask_admin_socket(admin_socket_path(loaded->config), {words, call.input});
  if (!answer) return call.fail(answer.error());
  if (*answer) {
    call.out += (*answer)->out;
    call.err += (*answer)->err;
    return (*answer)->status;
  }
  auto own = OwnInstallation::open(loaded->config);
  if (!own) return call.fail(own.error());
  call.installation = &(*own)->get();
  return command.run(call);
}

int main_program(int argc, char** argv) {
  Call call;
  call.terminal = ::isatty(STDIN_FILENO) != 0;
  // A command speaks for itself; a role sets its own level. No thread is started here: roles block signals first.
  log::set_level(log::Level::Warn);
  CommandLine line;
  const int status = line.execute({argv + 1, argv + argc}, call, nullptr);
  write_all(stdout, call.out);
  write_all(stderr, call.err);
  return status;
}

Result<const store::Server*> find_server(const store::Directory& directory, std::string_view name) {
  const auto servers = directory.servers();
  if (name.empty() && servers.size() == 1) return servers.front();
  if (name.empty())
    return posthaste::fail(ErrorKind::NotFound,
                           "Say which mail server: --server ORG/SERVER. `server list` shows them.");
  if (const auto slash = name.find('/'); slash != std::string_view::npos) {
    if (const auto* server = directory.server(name.substr(0, slash), name.substr(slash + 1))) return server;
  } else if (const auto id = parse_int(name)) {
    if (const auto* server = directory.server(*id)) return server;
  } else {
    for (const auto* server : servers) {
      if (iequals(server->uuid, name)) return server;
    }
  }
  return posthaste::fail(ErrorKind::NotFound,
                         fmt::format("There is no mail server {}. `server list` shows them.", name));
}

std::string table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  const auto measure = [&](const std::vector<std::string>& row) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  };
  measure(head);
  std::ranges::for_each(rows, measure);
  std::string out;
  const auto put = [&](const std::vector<std::string>& row) {
    for (std::size_t i = 0; i < row.size(); ++i)
      out += i + 1 < row.size() ? fmt::format("{:<{}}  ", row[i], widths[i]) : row[i];
    out += '\n';
  };
  put(head);
  std::ranges::for_each(rows, put);
  return out;
}

}  // namespace posthaste::app
