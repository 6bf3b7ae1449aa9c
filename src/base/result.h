// Expected outcomes as values.
//
// An Error carries its mail meaning, so that whoever answers a peer need not guess: what kind of failure it is, whether
// trying again may help, a text for the peer that shows no internals, and the cause for the log.
// Unknown failures are temporary: mail is never lost by what nobody foresaw.
// Exceptions are for a broken world (database gone, bug) and are caught at the edge of a role.
#pragma once

#include <expected>
#include <string>
#include <utility>

namespace posthaste {

enum class ErrorKind {
  Invalid,      // the input breaks a rule
  NotFound,     // the named thing does not exist
  Denied,       // known, but not allowed
  Conflict,     // exists already, or changed meanwhile
  Limit,        // a size, rate or count limit
  Timeout,      // a deadline passed
  Closed,       // the peer ended the connection
  Protocol,     // the peer does not follow its protocol
  Unavailable,  // something needed is not reachable now
  Internal,     // a bug, or a failure nobody foresaw
};

struct Error {
  ErrorKind kind = ErrorKind::Internal;
  std::string text;   // for the peer or user: what is wrong and what to do; no internals
  std::string cause;  // for the log: errno text, library message; empty if text says it all

  // True when trying the same again later may succeed.
  bool temporary() const {
    return kind == ErrorKind::Timeout || kind == ErrorKind::Closed || kind == ErrorKind::Unavailable ||
           kind == ErrorKind::Internal || kind == ErrorKind::Limit;
  }
};

template <class T = void>
using Result = std::expected<T, Error>;

// `return fail(ErrorKind::Invalid, "...")` from any function that returns a Result.
inline std::unexpected<Error> fail(ErrorKind kind, std::string text, std::string cause = {}) {
  return std::unexpected(Error{kind, std::move(text), std::move(cause)});
}

}  // namespace posthaste
