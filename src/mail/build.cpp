#include "mail/build.h"

#include <algorithm>
#include <regex>

#include "base/strings.h"
#include "mail/build_content.h"
#include "mail/build_header.h"

namespace posthaste::mail {

namespace {

// A node of the tree, ready to be written: its own fields and, for a leaf, its content.
struct Part {
  std::string fields;
  std::string content;
  std::string multipart;  // subtype; empty: a leaf
  std::vector<Part> children;
};

Part text_part(std::string_view subtype, std::string_view text) {
  auto encoded = encode_text(text);
  Part part;
  part.fields = fmt::format("Content-Type: text/{}; charset=UTF-8\r\nContent-Transfer-Encoding: {}\r\n", subtype,
                            encoded.encoding);
  part.content = std::move(encoded.bytes);
  return part;
}

Part multipart(std::string subtype, std::vector<Part> children) {
  Part part;
  part.multipart = std::move(subtype);
  part.children = std::move(children);
  return part;
}

// What would break a file name at the receiver's, or a header line on the way there.
std::string safe_name(std::string_view name) {
  std::string out = is_utf8(name) ? std::string(name) : clean_utf8(name);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F || c == '"' || c == '/' || c == '\\') c = '_';
  return std::string(utf8_prefix(out, 200));
}

// The type to declare: the one given if that can hold these bytes.
std::string declared_type(const Attachment& attachment) {
  std::string type = attachment.content_type;
  if (!is_content_type(type) || istarts_with(type, "multipart/")) return "application/octet-stream";
  if (istarts_with(type, "message/") && !has_mail_lines(with_crlf(attachment.data))) return "application/octet-stream";
  const bool charset = to_lower(type).find("charset=") != std::string::npos;
  if (istarts_with(type, "text/") && !charset && is_utf8(attachment.data)) return type + "; charset=UTF-8";
  return type;
}

std::string disposition(const Attachment& attachment) {
  const std::string name = safe_name(attachment.name);
  std::string field = attachment.is_inline ? "Content-Disposition: inline" : "Content-Disposition: attachment";
  if (!name.empty()) field += ";\r\n " + parameter("filename", name);
  return field + "\r\n";
}

Part attachment_part(const Attachment& attachment) {
  const std::string type = declared_type(attachment);
  Part part;
  // RFC 2046 5.2.1: a message within a message must not be encoded.
  const bool message = istarts_with(type, "message/");
  part.content = message ? with_crlf(attachment.data) : base64_lines(attachment.data);
  const std::string_view encoding = !message ? "base64" : is_ascii(part.content) ? "7bit" : "8bit";
  part.fields = fmt::format("Content-Type: {}\r\nContent-Transfer-Encoding: {}\r\n", type, encoding);
  part.fields += disposition(attachment);
  if (!attachment.content_id.empty()) part.fields += fmt::format("Content-ID: <{}>\r\n", attachment.content_id);
  return part;
}

bool shown_in(std::string_view html, const Attachment& attachment) {
  return !attachment.content_id.empty() && html.find("cid:" + attachment.content_id) != std::string_view::npos;
}

Part html_part(const Composition& composition) {
  std::vector<Part> parts{text_part("html", *composition.html)};
  for (const auto& attachment : composition.attachments)
    if (shown_in(*composition.html, attachment)) parts.push_back(attachment_part(attachment));
  return parts.size() == 1 ? std::move(parts.front()) : multipart("related", std::move(parts));
}

Part body_part(const Composition& composition) {
  if (!composition.html) return text_part("plain", composition.plain.value_or(""));
  if (!composition.plain) return html_part(composition);
  std::vector<Part> both;
  both.push_back(text_part("plain", *composition.plain));
  both.push_back(html_part(composition));
  return multipart("alternative", std::move(both));
}

Part whole_tree(const Composition& composition) {
  std::vector<Part> parts{body_part(composition)};
  for (const auto& attachment : composition.attachments)
    if (!composition.html || !shown_in(*composition.html, attachment)) parts.push_back(attachment_part(attachment));
  return parts.size() == 1 ? std::move(parts.front()) : multipart("mixed", std::move(parts));
}

bool occurs(const Part& part, std::string_view boundary) {
  return part.content.find(boundary) != std::string::npos ||
         std::ranges::any_of(part.children, [&](const auto& child) { return occurs(child, boundary); });
}

class Writer {
 public:
  Writer(const Part& root, const RandomText& random) : root_(root), random_(random) {}

  std::string write(const Composition& composition) {
    std::string out = composition.fields + "MIME-Version: 1.0\r\n";
    const std::string boundary = fresh_boundary(root_);
    out += own_fields(root_, boundary) + composition.extra_fields + "\r\n";
    write_content(out, root_, boundary);
    return out;
  }

 private:
  std::string fresh_boundary(const Part& part) {
    if (part.multipart.empty()) return {};
    for (;;)
      if (std::string boundary = "=_ph_" + random_(24); !occurs(root_, boundary)) return boundary;
  }

  static std::string own_fields(const Part& part, const std::string& boundary) {
    if (part.multipart.empty()) return part.fields;
    return fmt::format("Content-Type: multipart/{};\r\n boundary=\"{}\"\r\n", part.multipart, boundary);
  }

  void write_content(std::string& out, const Part& part, const std::string& boundary) {
    out += part.content;
    for (const auto& child : part.children) {
      if (&child != &part.children.front()) out += "\r\n";
      const std::string inner = fresh_boundary(child);
      out += "--" + boundary + "\r\n" + own_fields(child, inner) + "\r\n";
      write_content(out, child, inner);
    }
    if (!part.children.empty()) out += "\r\n--" + boundary + "--\r\n";
  }

  const Part& root_;
  const RandomText& random_;
};

}  // namespace

bool is_content_type(std::string_view text) {
  static const std::regex form(
      R"([A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(\s*;\s*[A-Za-z0-9!#$&^_.+*'-]+=([A-Za-z0-9!#$&^_.+*'%-]+|"[ !#-\[\]-~]*"))*\s*;?)");
  if (text.empty() || text.size() > 500) return false;
  if (!std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7F; })) return false;
  return std::regex_match(text.begin(), text.end(), form);
}

std::string build_message(const Composition& composition, const RandomText& random) {
  const Part root = whole_tree(composition);
  return Writer(root, random).write(composition);
}

}  // namespace posthaste::mail
