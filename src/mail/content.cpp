// Finds bodies and files by GMime's tree of the message, with Postal's rules for line ends.
#include "mail/content.h"

#include <gmime/gmime.h>

#include <map>
#include <memory>
#include <mutex>

#include "base/strings.h"
#include "mail/header.h"

namespace posthaste::mail {

namespace {

constexpr int kMaxDepth = 64;
constexpr std::size_t kMaxParts = 2000;

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
    Owned<GMimeStream> stream(g_mime_stream_mem_new_with_buffer(message.data(), message.size()));
    Owned<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
    Owned<GMimeMessage> parsed(g_mime_parser_construct_message(parser.get(), nullptr));
    if (parsed) walk(g_mime_message_get_mime_part(parsed.get()), 0);
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
    const bool untyped = whole_message && !g_mime_object_get_header(object, "Content-Type");
    const auto name = name_of(object);
    const char* disposition = g_mime_object_get_disposition(object);
    const bool attached = disposition && iequals(disposition, "attachment");
    const bool eligible = !name;  // a part with a file name is a file, never a body
    if (eligible && !content_.plain && type == "text/plain") return void(content_.plain = body(object, untyped));
    if (eligible && !content_.html && type == "text/html" && !untyped)
      return void(content_.html = body(object, untyped));
    if (!name && !attached && istarts_with(type, "text/")) return;  // further inline text is no file
    add_file(object, type, name);
  }

  static std::string type_of(GMimeObject* object) {
    GMimeContentType* type = g_mime_object_get_content_type(object);
    if (!type) return "text/plain";
    return to_lower(text_of(g_mime_content_type_get_media_type(type)) + "/" +
                    text_of(g_mime_content_type_get_media_subtype(type)));
  }

  // Content-Type before Content-Disposition before Content-Location, as Postal has it.
  static std::optional<std::string> name_of(GMimeObject* object) {
    GMimeContentType* type = g_mime_object_get_content_type(object);
    GMimeContentDisposition* disposition = g_mime_object_get_content_disposition(object);
    for (const char* key : {"filename", "name"})
      if (const char* name = type ? g_mime_content_type_get_parameter(type, key) : nullptr) return decode_text(name);
    for (const char* key : {"filename", "name"})
      if (const char* name = disposition ? g_mime_content_disposition_get_parameter(disposition, key) : nullptr)
        return decode_text(name);
    const char* location = g_mime_object_get_header(object, "Content-Location");
    if (location && !istarts_with(type_of(object), "text/")) return decode_text(location);
    return std::nullopt;
  }

  std::string body(GMimeObject* object, bool untyped) {
    GMimeContentType* type = g_mime_object_get_content_type(object);
    const char* charset = type && !untyped ? g_mime_content_type_get_parameter(type, "charset") : nullptr;
    return clean_utf8(to_utf8(text_bytes(object), text_of(charset)));
  }

  // Decoded, with line ends as Postal gives them: LF where the transfer encoding leaves ASCII as it is.
  static std::string text_bytes(GMimeObject* object) {
    std::string bytes = decoded(object);
    switch (encoding_of(object)) {
      case GMIME_CONTENT_ENCODING_DEFAULT:
      case GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE:
        return is_ascii(bytes) ? crlf_to_lf(bytes) : bytes;
      case GMIME_CONTENT_ENCODING_7BIT:
        return crlf_to_lf(bytes);
      default:
        return bytes;
    }
  }

  static GMimeContentEncoding encoding_of(GMimeObject* object) {
    return GMIME_IS_PART(object) ? g_mime_part_get_content_encoding(GMIME_PART(object)) : GMIME_CONTENT_ENCODING_BINARY;
  }

  static std::string decoded(GMimeObject* object) {
    Owned<GMimeStream> out(g_mime_stream_mem_new());
    if (GMIME_IS_PART(object)) {
      if (GMimeDataWrapper* wrapper = g_mime_part_get_content(GMIME_PART(object)))
        g_mime_data_wrapper_write_to_stream(wrapper, out.get());
    } else if (GMIME_IS_MESSAGE_PART(object)) {
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

  void add_file(GMimeObject* object, const std::string& type, const std::optional<std::string>& name) {
    const bool text = istarts_with(type, "text/");
    std::string given = name.value_or("");
    if (!name) {
      const std::size_t number = ++nameless_;
      given = type == "message/rfc822" ? fmt::format("message-{}.eml", number)
                                       : fmt::format("attachment-{}{}", number, usual_extension(type));
    }
    content_.attachments.push_back({std::move(given), type, text ? text_bytes(object) : decoded(object)});
  }

  Content content_;
  std::size_t parts_ = 0, nameless_ = 0;
};

}  // namespace

Content read_content(std::string_view message) { return Reader().read(message); }

}  // namespace posthaste::mail
