// Requests that this installation makes: to webhooks and HTTP endpoints.
#pragma once

#include <cstddef>

#include "config/config.h"
#include "io/http_client.h"

namespace posthaste::app {

// Profile `modern` reaches private networks only where postal.allowed_request_destinations says so. The ports of our
// own health listeners are never reached.
io::HttpClientOptions http_client_options(const config::Config& config, std::size_t concurrency);

// Of the health listener that the web server has when no port is set for it.
constexpr int kWebHealthPort = 9092;

}  // namespace posthaste::app
