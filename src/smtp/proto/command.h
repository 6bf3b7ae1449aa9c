// Command lines as the server reads them (RFC 5321 4.1, smtp-server.md 5 and 10): parsed once into values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace posthaste::smtp::proto {

enum class Verb { Quit, StartTls, Ehlo, Helo, Rset, Noop, Auth, Mail, Rcpt, Data, Bdat, Vrfy, Unknown };

struct Command {
  Verb verb = Verb::Unknown;
  std::string_view argument;  // behind the one blank after the verb (HELO, EHLO: or a colon), blanks at its end removed
};

// The line without its end. The verb is the letters up to a blank or the end; any case. MAIL and RCPT are such only
// with the word FROM or TO behind exactly one blank; their argument is what follows that word.
Command parse_command(std::string_view line);

// A byte that no command may hold: control characters but the tab.
bool has_control_character(std::string_view line);

struct Parameter {
  std::string_view keyword, value;  // value empty without `=`
};

// The path and parameters of MAIL and RCPT.
struct Path {
  bool colon = true;    // false: none stood behind the word; everything else is empty then
  std::string address;  // without angle brackets and source route; as typed
  std::vector<Parameter> parameters;
};

// Lenient where Postal is: blanks around the colon, no angle brackets (then the address ends at the first blank), text
// in front of the bracket. Nothing if a bracket or a quote stays open.
std::optional<Path> parse_path(std::string_view argument);

// RFC 5321 4.5.3.1: path 256, local part 64, domain 255 octets.
bool within_path_limits(std::string_view address);

struct Chunk {
  std::uint64_t size = 0;
  bool last = false;
};
// `<size> [LAST]`, the size of 1 to 20 digits; what does not fit 64 bits becomes the greatest number.
std::optional<Chunk> parse_bdat(std::string_view argument);

// The value of SIZE=: 1 to 20 digits, likewise.
std::optional<std::uint64_t> parse_size(std::string_view digits);

}  // namespace posthaste::smtp::proto
