// Tokens and ids from the operating system's generator, in Postal's alphabets and lengths (data-model.md section 3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace posthaste {

void random_bytes(std::span<unsigned char> into);
std::uint64_t random_u64();
// Uniform in [0, below); below > 0. Without modulo bias.
std::uint64_t random_below(std::uint64_t below);

std::string random_alphanumeric(std::size_t length);        // [A-Za-z0-9]: credential keys (24), message tokens (16)
std::string random_upper_alphanumeric(std::size_t length);  // [A-Z0-9]: trace ids and log ids (8)
std::string random_hex(std::size_t digits);                 // lower case
std::string random_uuid();                                  // version 4, lower case
std::string random_server_token();                          // six of [a-z0-9], a letter at both ends
std::string random_identifier(
    std::size_t length);  // [A-Za-z0-9], a letter at both ends: DKIM identifier (6), route token (8)

}  // namespace posthaste
