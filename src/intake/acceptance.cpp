#include "intake/acceptance.h"

#include <fmt/format.h>

#include <cstring>

#include "base/strings.h"
#include "mail/header.h"

namespace posthaste::intake {

namespace {

constexpr std::size_t kMaxTag = 255;

bool dropped(const mail::HeaderField& field) {
  return field.is("Bcc") || field.is("X-Postal-MsgID") || field.is("X-Postal-Tag");
}

std::string tag_of(const std::vector<mail::HeaderField>& fields) {
  const auto* field = mail::last_field(fields, "X-Postal-Tag");
  return field ? std::string(utf8_prefix(mail::decode_text(field->value), kMaxTag)) : std::string();
}

// The raw message without the fields that go.
std::string without_dropped(std::string raw, const std::vector<mail::HeaderField>& fields) {
  std::string out;
  std::size_t kept_until = 0;
  for (const auto& field : fields) {
    if (!dropped(field)) continue;
    const auto begin = std::size_t(field.whole.data() - raw.data());
    out.append(raw, kept_until, begin - kept_until);
    kept_until = begin + field.whole.size();
  }
  if (kept_until == 0) return raw;
  out.append(raw, kept_until);
  return out;
}

// Puts lines at the header's end, in the style of line ends that the header has.
void append_to_header(std::string& raw, std::string lines) {
  const auto header = mail::header_block(raw);
  if (!header.empty() && !header.ends_with('\n')) lines = "\r\n" + lines;
  const bool no_body = header.size() == raw.size();
  raw.insert(header.size(), lines + (no_body ? "\r\n" : ""));
}

}  // namespace

Prepared prepare_outgoing(std::string&& raw, const Clock& clock, std::string_view return_path_domain,
                          const std::function<std::string()>& new_uuid) {
  Prepared prepared;
  const auto fields = mail::header_fields(raw);
  prepared.tag = tag_of(fields);
  prepared.subject = mail::subject_of(fields);
  prepared.message_id = mail::message_id_of(fields);

  std::string added;
  if (!mail::last_field(fields, "Date")) added += fmt::format("Date: {}\r\n", to_rfc5322(clock()));
  if (!mail::last_field(fields, "Message-ID")) {
    prepared.message_id = fmt::format("{}@{}", new_uuid(), return_path_domain);
    added += fmt::format("Message-ID: <{}>\r\n", prepared.message_id);
  }
  prepared.raw = without_dropped(std::move(raw), fields);
  if (!added.empty()) append_to_header(prepared.raw, std::move(added));
  return prepared;
}

std::string normalize_line_ends(std::string&& raw) {
  const auto next_bare = [&](std::size_t from) {
    for (auto at = raw.find_first_of("\r\n", from); at != std::string::npos; at = raw.find_first_of("\r\n", at)) {
      if (raw.compare(at, 2, "\r\n") != 0) return at;
      at += 2;
    }
    return std::string::npos;
  };
  auto bare = next_bare(0);
  if (bare == std::string::npos) return std::move(raw);

  std::string out;
  out.reserve(raw.size() + raw.size() / 32);
  std::size_t from = 0;
  for (; bare != std::string::npos; bare = next_bare(from)) {
    out.append(raw, from, bare - from);
    out += "\r\n";
    from = bare + 1;
  }
  out.append(raw, from);
  return out;
}

}  // namespace posthaste::intake
