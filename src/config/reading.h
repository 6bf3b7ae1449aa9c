// All settings with their values and sources, before they are stored into a Config.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/document.h"
#include "config/setting.h"

namespace posthaste::config {

struct Resolved {
  Value value;
  std::string source = "default";  // `default`, a variable's name, or `/path/postal.yml:12`
  bool given = false;              // the environment or the file has it, and not empty
};

struct Reading {
  std::string file;  // path of the file that was read; empty: none
  std::string root;  // directory for `$config-file-root`
  Profile profile = Profile::Modern;
  std::map<std::string, Resolved> values;  // by key; complete even with errors
  std::vector<std::string> errors, warnings, notices;
};

Reading read_settings(const LoadOptions& options);

// The file that options and environment name, or the first that exists of the usual places.
struct FileChoice {
  std::string path;
  bool exists = false;
  bool demanded = false;  // by --config: it must be there
};
FileChoice choose_file(const LoadOptions& options);

// Warnings about keys of the file that no setting has.
std::vector<std::string> unknown_keys(const Document& document, const std::string& file);

}  // namespace posthaste::config
