// What the verbs that change an installation share.
#pragma once

#include "app/command.h"
#include "base/json.h"
#include "manage/problems.h"
#include "manage/work.h"

namespace posthaste::app {

inline manage::Context context_of(Call& call) { return {call.installation->store, call.installation->config}; }

// Each sentence of a refusal on a line of its own, ` * Name can't be blank`, as Postal's make-user prints them.
inline int refuse(Call& call, const Error& error) {
  const auto messages = manage::error_messages(error);
  if (error.kind != ErrorKind::Invalid || messages.empty()) return call.fail(error);
  for (const auto& message : messages) call.note(" * " + message);
  return kRefused;
}

// Asks before something is destroyed; without a terminal --yes is needed.
inline bool confirmed(Call& call, std::string_view what) {
  if (call.yes) return true;
  call.note(fmt::format("{} Repeat the command with --yes.", what));
  return false;
}

}  // namespace posthaste::app
