// Where does mail for this address go? The decision table of smtp-server.md 11.2.
#pragma once

#include <expected>
#include <string>

#include "config/config.h"
#include "smtp/server/handler.h"
#include "store/directory.h"

namespace posthaste::intake {

// First match wins: return paths, route tokens, the login's own sending, routes by address, networks that need no
// login. Pure: the directory and the question decide.
std::expected<smtp::server::RecipientAnswer, smtp::server::Refusal> decide_recipient(
    const store::Directory& directory, const config::Config& config, const smtp::server::RecipientQuestion& question);

// `org/server` and the ids.
smtp::server::Login login_of(const store::Directory& directory, const store::Credential& credential,
                             const store::Server& server);

}  // namespace posthaste::intake
