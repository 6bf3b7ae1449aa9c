// What is said to somebody who mistyped a command.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace posthaste::app {

// `words` could not be parsed by `root`: names the word that is wrong, and what was probably meant.
std::string explain_usage(const CLI::App& root, const std::vector<std::string>& words, const CLI::ParseError& error);

// The few commands that one begins with.
std::string short_help();

}  // namespace posthaste::app
