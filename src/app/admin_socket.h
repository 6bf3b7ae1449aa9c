// The way from a command to the running instance: `<data_path>/admin.sock`, for the installation's owner alone (mode
// 0600 in a directory of mode 0700). A request is the command's words and its standard input, the answer its exit
// status and what it would have printed.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/installation.h"
#include "base/result.h"
#include "io/stream.h"

namespace posthaste::app {

struct AdminRequest {
  std::vector<std::string> words;
  std::string input;
};
struct AdminAnswer {
  int status = 0;
  std::string out, err;
};

std::string admin_socket_path(const config::Config& config);

// Asks the running instance. Nothing if none listens; an error if it listens and fails to answer.
Result<std::optional<AdminAnswer>> ask_admin_socket(const std::string& path, const AdminRequest& request);

// Listens and runs each request on a pool thread.
Result<std::unique_ptr<io::Listener>> serve_admin_socket(Installation& installation);

}  // namespace posthaste::app
