// AUTH at a relay (RFC 4954): which mechanism, and its dialogue.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/task.h"
#include "smtp/client/capabilities.h"
#include "smtp/client/channel.h"

namespace posthaste::smtp::client {

enum class Mechanism { Plain, Login, CramMd5 };

// PLAIN and LOGIN show the password to whoever listens: only over TLS. Nothing if none can be used.
std::optional<Mechanism> choose_mechanism(const Capabilities& capabilities, bool tls);

// The answer to a CRAM-MD5 challenge (RFC 2195), both in base64.
std::string cram_md5_response(std::string_view challenge, std::string_view username, std::string_view password);

// The error's text is the server's reply, or says why nothing was tried.
io::Task<Result<>> authenticate(Channel& channel, const Capabilities& capabilities, std::string username,
                                std::string password, Duration timeout);

}  // namespace posthaste::smtp::client
