// Finds bodies and files by GMime's tree of the message, with Postal's rules for line ends.
#include "mail/content.h"

#include <gmime/gmime.h>

#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "base/strings.h"
#include "mail/address_fields.h"
#include "mail/header.h"
#include "mail/mime_value.h"
#include "mail/transfer_decode.h"

namespace posthaste::mail {

namespace {

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxParts = 2000;
constexpr std::size_t kMaxField = 64 * 1024;

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
template <class T>
using Owned = std::unique_ptr<T, Unref>;

void start_library() {
  static std::once_flag once;
  std::call_once(once, [] { g_mime_init(); });
}

std::string text_of(const char* text) { return text ? std::string(text) : std::string(); }

std::string bytes_of(GMimeStream* memory) {
  GByteArray* array = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory));
  return {reinterpret_cast<const char*>(array->data), array->len};
}

std::string crlf_to_lf(std::string_view text) { return replace_all(text, "\r\n", "\n"); }

// Names that no writer gave, stable from one reading to the next.
std::string_view usual_extension(std::string_view type) {
  static const std::map<std::string_view, std::string_view> kExtensions = {
      {"text/plain", ".txt"}, {"text/html", ".html"},      {"text/calendar", ".ics"},
      {"text/csv", ".csv"},   {"application/pdf", ".pdf"}, {"application/json", ".json"},
      {"image/png", ".png"},  {"image/jpeg", ".jpg"},      {"image/gif", ".gif"},
      {"audio/mpeg", ".mp3"}, {"application/zip", ".zip"}, {"application/xml", ".xml"},
  };
  const auto found = kExtensions.find(type);
  return found == kExtensions.end() ? std::string_view() : found->second;
}

class Reader {
 public:
  Content read(std::string_view message) {
    start_library();
    const auto harmless = without_deep_addresses(message);
    if (harmless) message = *harmless;
    Owned<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(message.data(), message.size()));
    Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
    // Read as a part: the address lists of its header are none of its business, and may be endless.
    Owned<GMimeObject> parsed(g_mime_parser_construct_part(parser.get(), nullptr));
    if (parsed) walk(parsed.get(), 0);
    if (spare_ && !content_.plain && !content_.html)
      (spare_->first == "text/html" ? content_.html : content_.plain) = std::move(spare_->second);
    return std::move(content_);
  }

 private:
  void walk(GMimeObject* object, int depth) {
    if (!object || ++parts_ > kMaxParts) return;
    if (GMIME_IS_MULTIPART(object)) {
      if (depth >= kMaxDepth) return;
      for (int i = 0; i < g_mime_multipart_get_count(GMIME_MULTIPART(object)); ++i)
        walk(g_mime_multipart_get_part(GMIME_MULTIPART(object), i), depth + 1);
      return;
    }
    leaf(object, depth == 0);
  }

  void leaf(GMimeObject* object, bool whole_message) {
    const std::string type = type_of(object);
    const MimeValue fields = parse_mime_value(raw_field(object, "Content-Type"));
    const bool untyped = whole_message && fields.value.empty();
    const auto name = name_of(object, type, fields);
    const char* disposition = g_mime_object_get_disposition(object);
    const bool attached = disposition && iequals(disposition, "attachment");
    const bool text = type == "text/plain" || (type == "text/html" && !untyped);
    auto& slot = type == "text/html" ? content_.html : content_.plain;
    if (text && !name && !attached) {
      if (!slot) slot = body(object, fields);  // only the first counts, and the others are no files
      return;
    }
    const bool named_inline = name && !attached, attached_nameless = attached && !name;
    if (text && !spare_ && (named_inline || attached_nameless)) spare_ = {type, body(object, fields)};
    add_file(object, type, fields, name);
  }

  static std::string type_of(GMimeObject* object) {
    GMimeContentType* type = g_mime_object_get_content_type(object);
    if (!type) return "text/plain";
    return to_lower(text_of(g_mime_content_type_get_media_type(type)) + "/" +
                    text_of(g_mime_content_type_get_media_subtype(type)));
  }

  static std::string_view raw_field(GMimeObject* object, const char* name) {
    GMimeHeader* field = g_mime_header_list_get_header(g_mime_object_get_header_list(object), name);
    const char* value = field ? g_mime_header_get_raw_value(field) : nullptr;
    return value ? std::string_view(value).substr(0, kMaxField) : std::string_view();
  }

  // Content-Type before Content-Disposition before Content-Location, as Postal has it.
  static std::optional<std::string> name_of(GMimeObject* object, std::string_view type, const MimeValue& fields) {
    const MimeValue disposition = parse_mime_value(raw_field(object, "Content-Disposition"));
    for (const MimeValue* value : {&fields, &disposition})
      for (const char* key : {"filename", "name"})
        if (auto name = value->decoded(key)) return name;
    const std::string_view location = raw_field(object, "Content-Location");
    if (!is_blank(location) && !type.starts_with("text/")) return decode_text(location);
    return std::nullopt;
  }

  static std::string body(GMimeObject* object, const MimeValue& fields) {
    return clean_utf8(to_utf8(text_bytes(object), fields.parameter("charset")));
  }

  static TransferEncoding encoding_of(GMimeObject* object) {
    return transfer_encoding(raw_field(object, "Content-Transfer-Encoding"));
  }

  // Decoded, with line ends as Postal gives them: LF where the transfer encoding leaves ASCII as it is.
  static std::string text_bytes(GMimeObject* object) {
    std::string bytes = decoded(object);
    switch (encoding_of(object)) {
      case TransferEncoding::None:
      case TransferEncoding::QuotedPrintable:
        return is_ascii(bytes) ? crlf_to_lf(bytes) : bytes;
      case TransferEncoding::SevenBit:
        return crlf_to_lf(bytes);
      default:
        return bytes;
    }
  }

  static std::string decoded(GMimeObject* object) {
    Owned<GMimeStream> out(g_mime_stream_mem_new());
    if (GMIME_IS_PART(object)) {
      GMimeDataWrapper* wrapper = g_mime_part_get_content(GMIME_PART(object));
      if (!wrapper) return {};
      GMimeStream* encoded = g_mime_data_wrapper_get_stream(wrapper);
      g_mime_stream_reset(encoded);
      g_mime_stream_write_to_stream(encoded, out.get());
      return decode_transfer(bytes_of(out.get()), encoding_of(object));
    }
    if (GMIME_IS_MESSAGE_PART(object)) {
      if (GMimeMessage* inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object)))
        write_message(inner, out.get());
    }
    return bytes_of(out.get());
  }

  static void write_message(GMimeMessage* message, GMimeStream* to) {
    GMimeFormatOptions* options = g_mime_format_options_new();
    g_mime_format_options_set_newline_format(options, GMIME_NEWLINE_FORMAT_DOS);
    g_mime_object_write_to_stream(GMIME_OBJECT(message), options, to);
    g_mime_format_options_free(options);
  }

  void add_file(GMimeObject* object, const std::string& type, const MimeValue& fields,
                const std::optional<std::string>& name) {
    std::string given = name.value_or("");
    if (!name) {
      const std::size_t number = ++nameless_;
      given = type == "message/rfc822" ? fmt::format("message-{}.eml", number)
                                       : fmt::format("attachment-{}{}", number, usual_extension(type));
    }
    std::string bytes = type.starts_with("text/") ? text_bytes(object) : decoded(object);
    content_.attachments.push_back({std::move(given), type, std::move(bytes), with_parameters(type, fields)});
  }

  // `text/plain; charset=UTF-8; name="a b.txt"`: sorted, each once, quoted where it must be.
  static std::string with_parameters(const std::string& type, const MimeValue& fields) {
    constexpr std::string_view kQuoted = " \t()<>@,;:\\\"/[]?=";
    std::set<std::string> names;
    for (const auto& [name, value] : fields.parameters) names.insert(name.substr(0, name.find('*')));
    std::string out = type;
    for (const auto& name : names) {
      std::string value = fields.decoded(name).value_or("");
      if (value.empty() || !is_ascii(value) || value.find_first_of(kQuoted) != std::string::npos)
        value = fmt::format("\"{}\"", replace_all(replace_all(value, "\\", "\\\\"), "\"", "\\\""));
      out += fmt::format("; {}={}", name, value);
    }
    return clean_utf8(out);
  }

  Content content_;
  std::optional<std::pair<std::string, std::string>> spare_;  // type and text: the body if there is no other
  std::size_t parts_ = 0, nameless_ = 0;
};

}  // namespace

Content read_content(std::string_view message) { return Reader().read(message); }

}  // namespace posthaste::mail
