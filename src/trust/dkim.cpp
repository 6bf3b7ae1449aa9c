#include "trust/dkim.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "base/strings.h"
#include "trust/canonical_body.h"
#include "trust/canonical_header.h"

namespace posthaste::trust {

namespace {

using Names = std::vector<std::string>;

constexpr std::string_view kSigned[] = {"from",
                                        "sender",
                                        "reply-to",
                                        "subject",
                                        "date",
                                        "message-id",
                                        "to",
                                        "cc",
                                        "mime-version",
                                        "content-type",
                                        "content-transfer-encoding",
                                        "resent-to",
                                        "resent-cc",
                                        "resent-from",
                                        "resent-sender",
                                        "resent-message-id",
                                        "in-reply-to",
                                        "references",
                                        "list-id",
                                        "list-help",
                                        "list-owner",
                                        "list-unsubscribe",
                                        "list-unsubscribe-post",
                                        "list-subscribe",
                                        "list-post"};

// Named once more than they occur, so that nobody can add another one without breaking the signature.
constexpr std::string_view kOversigned[] = {"from",
                                            "to",
                                            "cc",
                                            "subject",
                                            "date",
                                            "message-id",
                                            "reply-to",
                                            "content-type",
                                            "mime-version",
                                            "list-unsubscribe",
                                            "list-unsubscribe-post"};

constexpr std::size_t kSignaturePiece = 72;
constexpr std::size_t kMaxLine = 76;

bool is_signed(std::string_view name) { return std::ranges::find(kSigned, name) != std::end(kSigned); }

std::string body_hash(std::string_view headers, const HeaderBlock& block, std::string_view body) {
  RelaxedBodyHash hash;
  if (block.ended_early) {
    hash.update(block.spilled);
    hash.update("\r\n\r\n");
  } else if (headers.ends_with('\r') || headers.ends_with('\n')) {
    hash.update("\r\n");  // the block's own line end makes the empty line one line earlier
  }
  hash.update(body);
  return base64_encode(hash.finish());
}

struct Chosen {
  Names names;        // for h=
  std::string input;  // the fields that they stand for, each with CRLF
};

// RFC 6376 5.4.2: the first mention of a name stands for its last field, the second for the one above, and so on.
Chosen choose_fields(const HeaderBlock& block) {
  std::map<std::string_view, std::vector<std::string_view>> lines;
  for (const auto& field : block.fields) lines[field.name].push_back(field.line);

  Chosen chosen;
  for (const auto& field : block.fields) {
    if (!is_signed(field.name)) continue;
    auto& left = lines[field.name];
    chosen.names.push_back(field.name);
    chosen.input += relaxed_field(field.name, left.back()) + "\r\n";
    left.pop_back();
  }
  for (auto name : kOversigned) chosen.names.emplace_back(name);
  return chosen;
}

// `<TAB>h=a:b:<CRLF><TAB>c:d;`
std::string folded_names(const Names& names) {
  std::string out = "\th=";
  std::size_t column = out.size();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::size_t width = names[i].size() + 1;
    if (column + width > kMaxLine) {
      out += "\r\n\t";
      column = 1;
    }
    out += names[i];
    out += i + 1 < names.size() ? ':' : ';';
    column += width;
  }
  return out;
}

std::string folded_signature(std::string_view base64) {
  std::string out;
  while (base64.size() > kSignaturePiece) {
    out += base64.substr(0, kSignaturePiece);
    out += "\r\n\t";
    base64.remove_prefix(kSignaturePiece);
  }
  return out += base64;
}

}  // namespace

std::string dkim_signature(std::string_view headers, std::string_view body, const SigningKey& key,
                           const DkimIdentity& as, Time now) {
  const auto block = parse_header_block(headers);
  const auto chosen = choose_fields(block);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();

  std::string field = fmt::format(
      "DKIM-Signature: v=1; a={}-sha256; c=relaxed/relaxed;\r\n\td={};\r\n\ts={}; t={};\r\n\tbh={};\r\n{}\r\n\tb=",
      key.ed25519() ? "ed25519" : "rsa", to_ascii_domain(as.domain).value_or(as.domain), as.selector, seconds,
      body_hash(headers, block, body), folded_names(chosen.names));
  const auto signature = key.sign(chosen.input + relaxed_field("dkim-signature", field));
  return field + folded_signature(base64_encode(signature)) + "\r\n";
}

}  // namespace posthaste::trust
