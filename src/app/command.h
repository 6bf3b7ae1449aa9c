// One command of the command line, wherever it runs.
//
// Commands that work on an installation run in the process that has it open: a running instance is asked through its
// admin socket, otherwise the installation is opened for the time of the command. A command therefore never prints by
// itself: it fills a Call, and whoever runs it passes the texts on.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "app/installation.h"
#include "base/result.h"
#include "config/config.h"

namespace posthaste::app {

// admin-and-config.md 2.5
enum Exit : int {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,
  kConfiguration = 3,
  kNotFound = 4,
  kRefused = 5,
  kUnreachable = 6,
  kNegative = 7,
};

struct Call {
  config::LoadOptions load;                // where the configuration comes from
  const config::Config* config = nullptr;  // Needs::Configuration and above
  Installation* installation = nullptr;    // Needs::Installation
  bool json = false, quiet = false, yes = false, verbose = false;
  bool terminal = false;     // a person sits there and can be asked
  std::string input;         // the file or standard input that the command wants
  bool input_given = false;  // it is there already: nothing is read
  std::string out, err;

  void print(std::string_view text) { out += text; }
  void line(std::string_view text) { (out += text) += '\n'; }
  void note(std::string_view text) { (err += text) += '\n'; }  // progress and warnings

  // Writes the error for a person and gives the exit status that belongs to it.
  int fail(const Error& error);
  int fail(Exit status, std::string_view text);
};

enum class Needs { Nothing, Configuration, Installation };

class CommandLine {
 public:
  CommandLine();

  using Run = std::function<int(Call&)>;
  // A file that the command reads, asked for where the command was typed: its path, `-` for standard input, or nothing.
  using InputPath = std::function<std::optional<std::string>()>;
  // Registers what runs when `app` is the innermost command given.
  void add(CLI::App* app, Needs needs, Run run, InputPath input = {});
  CLI::App& root() { return root_; }

  // Parses the words behind the program's name. `installation`: the one at hand inside a running instance; null: in a
  // process of its own. Returns the exit status.
  int execute(const std::vector<std::string>& words, Call& call, Installation* installation);

 private:
  struct Command {
    CLI::App* app;
    Needs needs;
    Run run;
    InputPath input;
  };
  const Command* chosen() const;
  int run_with_installation(const Command& command, const std::vector<std::string>& words, Call& call,
                            Installation* installation);

  CLI::App root_;
  std::vector<Command> commands_;
  std::string config_path_;
  bool json_ = false, quiet_ = false, verbose_ = false, no_color_ = false, yes_ = false;
};

// The whole program: `argv[0]` named `postal` behaves the same.
int main_program(int argc, char** argv);

// One function per file verb_*.cpp.
void add_run(CommandLine& line);
void add_setup(CommandLine& line);
void add_configuration(CommandLine& line);
void add_users(CommandLine& line);
void add_organizations(CommandLine& line);
void add_servers(CommandLine& line);
void add_domains(CommandLine& line);
void add_credentials(CommandLine& line);
void add_document(CommandLine& line);
void add_queue(CommandLine& line);
void add_messages(CommandLine& line);
void add_held(CommandLine& line);
void add_test_send(CommandLine& line);
void add_test_app_smtp(CommandLine& line);

// `org/server`, a numeric id, or a UUID (admin-and-config.md 2.4). Left out: the only server of the installation.
Result<const store::Server*> find_server(const store::Directory& directory, std::string_view name);

// A table for people: columns as wide as their content, two blanks between.
std::string table(const std::vector<std::string>& head, const std::vector<std::vector<std::string>>& rows);

}  // namespace posthaste::app
